//! Whether clients that trust the root take what it signs.

use std::sync::Arc;

use paas_acme::{CertificateFacts, OwnAuthority, OwnAuthorityError, check_pair, generate_key};
use paas_program::{Program, ProgramError};
use rustls::{
    RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::ring,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::support::host;

const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

fn verify(root: &str, chain: &str, name: &str, at: OffsetDateTime) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap).collect();
    let at =
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.unix_timestamp().try_into().unwrap()));
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&certificates[0], &certificates[1..], &name, &[], at).map(|_| ())
}

#[test]
fn clients_that_trust_the_root_take_its_certificates() {
    let authority = OwnAuthority::generate("server.example", NOW).unwrap();
    let issued = authority.issue(&host("app.test"), NOW).unwrap();
    let root = authority.certificate_pem();
    for at in [NOW - Duration::minutes(59), NOW, NOW + Duration::days(89)] {
        verify(root, &issued.chain, "app.test", at).unwrap();
    }
    assert!(verify(root, &issued.chain, "other.test", NOW).is_err());
    assert!(verify(root, &issued.chain, "app.test", NOW + Duration::days(90)).is_err());
    let stranger = OwnAuthority::generate("server.example", NOW).unwrap();
    assert!(verify(stranger.certificate_pem(), &issued.chain, "app.test", NOW).is_err());
}

#[test]
fn a_wildcard_and_a_single_label_are_signed_too() {
    let authority = OwnAuthority::generate("server.example", NOW).unwrap();
    let wildcard = authority.issue(&host("*.app.test"), NOW).unwrap();
    verify(authority.certificate_pem(), &wildcard.chain, "x.app.test", NOW).unwrap();
    assert!(verify(authority.certificate_pem(), &wildcard.chain, "app.test", NOW).is_err());
    let single = authority.issue(&host("localhost"), NOW).unwrap();
    verify(authority.certificate_pem(), &single.chain, "localhost", NOW).unwrap();
}

#[test]
fn a_certificate_says_what_was_promised() {
    let authority = OwnAuthority::generate("server.example", NOW).unwrap();
    let issued = authority.issue(&host("app.test"), NOW).unwrap();
    let facts = check_pair(&issued.chain, &issued.key, NOW).unwrap();
    assert_eq!(facts.issuer, "paas authority of server.example");
    assert_eq!(
        (facts.not_before, facts.not_after),
        (NOW - Duration::hours(1), NOW - Duration::hours(1) + Duration::days(90))
    );
    let root = CertificateFacts::read(authority.certificate_pem()).unwrap();
    assert_eq!(root.not_after, NOW + Duration::days(3650));
    let again = authority.issue(&host("app.test"), NOW).unwrap();
    assert_ne!(again.key, issued.key);
    assert_ne!(CertificateFacts::read(&again.chain).unwrap().fingerprint, facts.fingerprint);
}

/// The root signs servers alone: nothing below another certificate of its is valid.
#[test]
fn what_it_signed_signs_nothing() {
    let authority = OwnAuthority::generate("server.example", NOW).unwrap();
    let issued = authority.issue(&host("app.test"), NOW).unwrap();
    let below = OwnAuthority::load(&issued.chain, &issued.key);
    assert!(matches!(below, Err(OwnAuthorityError::NotAuthority)), "{below:?}");
}

#[test]
fn an_authority_is_taken_up_from_what_was_stored() {
    let first = OwnAuthority::generate(&"long".repeat(30), NOW).unwrap();
    let loaded = OwnAuthority::load(first.certificate_pem(), first.key_pem()).unwrap();
    let issued = loaded.issue(&host("app.test"), NOW).unwrap();
    verify(first.certificate_pem(), &issued.chain, "app.test", NOW).unwrap();
    let other = OwnAuthority::load(first.certificate_pem(), &generate_key().unwrap());
    assert!(matches!(other, Err(OwnAuthorityError::Stored(_))), "{other:?}");
    assert!(!format!("{loaded:?}").contains("PRIVATE"));
}

#[test]
fn openssl_agrees() {
    let now = OffsetDateTime::now_utc();
    let authority = OwnAuthority::generate("server.example", now).unwrap();
    let issued = authority.issue(&host("*.app.test"), now).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (root, leaf) = (directory.path().join("root.pem"), directory.path().join("leaf.pem"));
    std::fs::write(&root, authority.certificate_pem()).unwrap();
    std::fs::write(&leaf, issued.chain).unwrap();
    let verify = Program::new("openssl").arg("verify").arg("-x509_strict").arg("-purpose").arg("sslserver");
    let verify = verify.arg("-verify_hostname").arg("x.app.test").arg("-CAfile").value(root).value(leaf);
    match verify.blocking_run() {
        Ok(said) => assert!(String::from_utf8(said).unwrap().ends_with(": OK\n")),
        Err(error @ ProgramError::Missing { .. }) => {
            assert!(std::env::var_os("PAAS_REQUIRE_DOCKER").is_none(), "{error}");
            println!("skipped: {error}");
        }
        Err(error) => panic!("{error}"),
    }
}
