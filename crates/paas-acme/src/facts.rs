use std::fmt::Write;

use paas_domain::Hostname;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use crate::{pair_error::PairError, pem, text::plain};

/// What a certificate says of itself. Nothing of it is proof that anybody trusts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names it is for: the dNSName entries of its subject alternative names, in lower case. The common name is not one
    /// (RFC 6125 §6.4.4, and no browser reads it).
    pub names: Vec<String>,
    /// From when it is valid.
    pub not_before: OffsetDateTime,
    /// Until when it is valid.
    pub not_after: OffsetDateTime,
    /// Who signed it, short and for people: `Let's Encrypt R11`.
    pub issuer: String,
    /// SHA-256 of the certificate's DER, in lower hexadecimal.
    pub fingerprint: String,
}

impl CertificateFacts {
    /// Reads the first certificate of a chain in PEM.
    pub fn read(chain_pem: &str) -> Result<Self, PairError> {
        let chain = pem::certificates(chain_pem)?;
        Self::of(chain.first().ok_or(PairError::NoCertificate)?)
    }

    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Result<Self, PairError> {
        let parsed = parse(certificate)?;
        let validity = parsed.validity();
        Ok(Self {
            names: names(&parsed),
            not_before: validity.not_before.to_datetime(),
            not_after: validity.not_after.to_datetime(),
            issuer: short(parsed.issuer()),
            fingerprint: hex(&Sha256::digest(certificate)),
        })
    }

    /// Whether it is for this host. A wildcard stands for exactly one label (RFC 6125 §6.4.3); a wildcard host needs that same wildcard.
    pub fn covers(&self, host: &Hostname) -> bool {
        host.is_covered_by(self.names.iter().map(String::as_str))
    }
}

/// The certificate in its parts.
pub(crate) fn parse<'a>(certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, PairError> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| PairError::NotCertificate)?;
    Ok(parsed)
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let dns = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(plain(&name.to_ascii_lowercase())),
        _ => None,
    });
    dns.collect()
}

/// Organisation and common name; the common name alone when it begins like the organisation.
fn short(name: &X509Name<'_>) -> String {
    let organisation = name.iter_organization().find_map(|part| part.as_str().ok()).map(plain);
    let common = name.iter_common_name().find_map(|part| part.as_str().ok()).map(plain);
    match (organisation, common) {
        (Some(organisation), Some(common)) => {
            let first = organisation.split([' ', ',']).next().unwrap_or_default();
            if common.starts_with(first) { common } else { format!("{organisation} {common}") }
        }
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "an authority without a name".to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use time::macros::datetime;

    use super::*;

    fn facts(names: &[&str]) -> CertificateFacts {
        CertificateFacts {
            names: names.iter().map(ToString::to_string).collect(),
            not_before: OffsetDateTime::UNIX_EPOCH,
            not_after: OffsetDateTime::UNIX_EPOCH,
            issuer: String::new(),
            fingerprint: String::new(),
        }
    }

    fn covers(names: &[&str], host: &str) -> bool {
        facts(names).covers(&Hostname::new(host).unwrap())
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(covers(&["*.example.org"], "www.example.org"));
        assert!(covers(&["*.example.org"], "*.example.org"));
        assert!(covers(&["a.org", "www.example.org"], "www.example.org"));
        assert!(!covers(&["*.example.org"], "example.org"));
        assert!(!covers(&["*.example.org"], "a.b.example.org"));
        assert!(!covers(&["*.example.org"], "*.a.example.org"));
        assert!(!covers(&["www.example.org"], "*.example.org"));
        assert!(!covers(&["w*.example.org"], "www.example.org"));
        assert!(!covers(&[], "example.org"));
    }

    #[test]
    fn what_a_certificate_says_is_read() {
        let mut params =
            CertificateParams::new(vec!["WWW.Example.org".into(), "*.example.org".into()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Let's Encrypt");
        params.distinguished_name.push(DnType::CommonName, "R11");
        params.not_before = datetime!(2026-01-01 00:00 UTC);
        params.not_after = datetime!(2026-04-01 00:00 UTC);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let facts = CertificateFacts::read(&certificate.pem()).unwrap();
        assert_eq!(facts.names, ["www.example.org", "*.example.org"]);
        assert_eq!((facts.not_before, facts.not_after), (params.not_before, params.not_after));
        assert_eq!(facts.issuer, "Let's Encrypt R11");
        assert_eq!(facts.fingerprint.len(), 64);
    }

    proptest! {
        #[test]
        fn a_wildcard_covers_a_host_when_the_first_label_is_all_that_differs(
            label in "[a-z][a-z0-9]{0,8}", zone in "[a-z]{1,8}(\\.[a-z]{1,8}){1,3}", deeper in "[a-z]{1,8}"
        ) {
            let wildcard = format!("*.{zone}");
            let one = format!("{label}.{zone}");
            prop_assert!(covers(&[&wildcard], &one));
            prop_assert!(!covers(&[&wildcard], &zone));
            let deep = format!("{deeper}.{label}.{zone}");
            prop_assert!(!covers(&[&wildcard], &deep));
        }
    }
}
