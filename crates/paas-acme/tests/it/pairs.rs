//! Certificates that people bring, as other programs make them.

use std::process::Output;

use paas_acme::{CertificateFacts, OwnAuthority, PairError, check_pair, generate_key, split_pem};
use paas_domain::Secret;
use paas_program::Program;
use proptest::prelude::*;
use time::{Duration, OffsetDateTime, macros::datetime};

use crate::support::host;

const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

/// A certificate by an authority, the authority's own, and the key.
fn material() -> (String, String, Secret) {
    let authority = OwnAuthority::generate("test", NOW).unwrap();
    let issued = authority.issue(&host("www.example.org"), NOW).unwrap();
    (issued.chain, authority.certificate_pem().to_owned(), issued.key)
}

#[test]
fn a_chain_and_its_key_are_taken() {
    let (leaf, root, key) = material();
    let facts = check_pair(&format!("{leaf}{root}"), &key, NOW).unwrap();
    assert_eq!(facts.names, ["www.example.org"]);
    assert_eq!(facts.issuer, "paas authority of test");
    assert_eq!(check_pair(&leaf, &key, NOW).unwrap(), facts);
}

#[test]
fn what_does_not_fit_together_is_named() {
    let (leaf, root, key) = material();
    let (other_leaf, other_root, other_key) = material();
    let check = |chain: &str, key: &Secret| check_pair(chain, key, NOW).unwrap_err();
    assert_eq!(check(&leaf, &other_key), PairError::KeyMismatch);
    assert_eq!(check(&format!("{root}{leaf}"), &key), PairError::LeafNotFirst { place: 2 });
    assert_eq!(
        check(&format!("{root}{leaf}"), &key).to_string(),
        "the certificate of the private key is number 2 of the chain: put it first, and its issuers after it"
    );
    assert_eq!(check(&format!("{leaf}{other_leaf}"), &key), PairError::Disordered { place: 1, next: 2 });
    // The names alone are the same here: it is the signature that differs.
    assert_eq!(check(&format!("{leaf}{other_root}"), &key), PairError::Disordered { place: 1, next: 2 });
    assert_eq!(check(&leaf, &Secret::new(leaf.clone())), PairError::NoKey);
    assert_eq!(check(key.expose(), &key), PairError::NoCertificate);
    assert_eq!(check("hello", &key), PairError::NotPem);
}

#[test]
fn a_certificate_out_of_its_time_is_named() {
    let (leaf, _, key) = material();
    let late = check_pair(&leaf, &key, NOW + Duration::days(90)).unwrap_err();
    assert_eq!(late.to_string(), "the certificate expired on 2026-08-30: get a new one");
    let early = check_pair(&leaf, &key, NOW - Duration::days(1)).unwrap_err();
    assert_eq!(early.to_string(), "the certificate is not valid before 2026-06-01");
}

#[test]
fn a_text_is_split_in_any_order() {
    let (leaf, root, key) = material();
    let text = format!("Bag Attributes: <empty>\r\n{}\n{leaf}subject=/CN=x\n{root}", key.expose());
    let (chain, split) = split_pem(&text).unwrap();
    assert_eq!(
        (check_pair(&chain, &split, NOW).unwrap().names, split.expose().trim()),
        (vec!["www.example.org".to_owned()], key.expose().trim())
    );
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!chain.contains("PRIVATE KEY") && !split.expose().contains("CERTIFICATE"));
}

#[test]
fn a_text_that_lacks_something_is_told_what() {
    let (leaf, _, key) = material();
    let error = |text: &str| split_pem(text).unwrap_err();
    assert_eq!(error(""), PairError::NotPem);
    assert_eq!(error(&leaf), PairError::NoKey);
    assert_eq!(error(key.expose()), PairError::NoCertificate);
    assert_eq!(error(&format!("{leaf}{0}{0}", key.expose())), PairError::ManyKeys);
    assert_eq!(error(&leaf[..leaf.len() - 30]), PairError::Damaged);
    assert_eq!(error(&leaf.replace('M', "!")), PairError::Damaged);
    let shown = format!("{:?} {}", error(&format!("{leaf}{0}{0}", key.expose())), error(key.expose()));
    assert!(!shown.contains(key.expose().lines().nth(1).unwrap()));
}

/// None, with the reason printed, where there is no openssl.
fn openssl(program: &Program) -> Option<String> {
    match program.blocking_output() {
        Ok(Output { status, stdout, stderr }) => {
            assert!(status.success(), "{program}: {}", String::from_utf8_lossy(&stderr));
            Some(String::from_utf8(stdout).unwrap())
        }
        Err(error) => {
            assert!(std::env::var_os("PAAS_REQUIRE_DOCKER").is_none(), "{error}");
            println!("skipped: {error}");
            None
        }
    }
}

/// A self-signed certificate with its key, by the options of `openssl req -newkey`.
fn by_openssl(kind: &'static str) -> Option<String> {
    let program = Program::new("openssl").arg("req").arg("-x509").arg("-newkey").arg(kind);
    let program = if kind == "ec" { program.arg("-pkeyopt").arg("ec_paramgen_curve:P-384") } else { program };
    let program = program.arg("-nodes").arg("-subj").arg("/O=Example Ltd/CN=Test").arg("-days").arg("30");
    openssl(&program.arg("-addext").arg("subjectAltName=DNS:WWW.example.org").arg("-keyout").arg("-"))
}

#[test]
fn keys_of_other_programs_are_taken() {
    for kind in ["rsa:2048", "ec", "ed25519"] {
        let Some(text) = by_openssl(kind) else { return };
        let (chain, key) = split_pem(&text).unwrap();
        let facts = check_pair(&chain, &key, OffsetDateTime::now_utc()).unwrap();
        assert_eq!(
            (facts.names, facts.issuer.as_str()),
            (vec!["www.example.org".to_owned()], "Example Ltd Test"),
            "{kind}"
        );
        let other = generate_key().unwrap();
        assert_eq!(
            check_pair(&chain, &other, OffsetDateTime::now_utc()),
            Err(PairError::KeyMismatch),
            "{kind}"
        );
    }
}

/// The blocks `RSA PRIVATE KEY` and `EC PRIVATE KEY` of older programs, the latter behind its parameters.
#[test]
fn keys_in_older_blocks_are_taken() {
    let rsa = Program::new("openssl").arg("genrsa").arg("-traditional").arg("2048");
    let ec = Program::new("openssl").arg("ecparam").arg("-name").arg("prime256v1").arg("-genkey");
    let (leaf, _, _) = material();
    for program in [rsa, ec] {
        let Some(key) = openssl(&program) else { return };
        // It is read, and then it is another one's.
        assert_eq!(check_pair(&leaf, &Secret::new(key), NOW), Err(PairError::KeyMismatch));
    }
}

#[test]
fn keys_nobody_can_use_are_named() {
    let (leaf, _, _) = material();
    let check = |key: String| check_pair(&leaf, &Secret::new(key), NOW).unwrap_err();
    let genpkey = || Program::new("openssl").arg("genpkey").arg("-algorithm");
    let encrypted = genpkey().arg("ED25519").arg("-aes256").arg("-pass").arg("pass:secret");
    let Some(encrypted) = openssl(&encrypted) else { return };
    assert_eq!(check(encrypted), PairError::EncryptedKey);
    let older = Program::new("openssl")
        .arg("genrsa")
        .arg("-traditional")
        .arg("-aes128")
        .arg("-passout")
        .arg("pass:secret");
    assert_eq!(check(openssl(&older.arg("2048")).unwrap()), PairError::EncryptedKey);
    for program in [genpkey().arg("ED448"), genpkey().arg("RSA").arg("-pkeyopt").arg("rsa_keygen_bits:1024")]
    {
        assert_eq!(check(openssl(&program).unwrap()), PairError::UnsupportedKey);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is pasted: no panic, and what is taken is whole.
    #[test]
    fn a_damaged_text_is_refused_or_whole(cut in 0_usize..2000, at in 0_usize..2000, junk in "[ -~\n]{0,6}") {
        let (leaf, _, key) = material();
        let mut text = format!("{leaf}{}", key.expose());
        let at = at.min(text.len());
        text.insert_str(at, &junk);
        text.truncate(text.len().saturating_sub(cut));
        if let Ok((chain, key)) = split_pem(&text) {
            prop_assert!(CertificateFacts::read(&chain).is_ok() || !leaf.contains(&chain[..]));
            prop_assert!(key.expose().ends_with("-----END PRIVATE KEY-----\n"));
        }
    }
}
