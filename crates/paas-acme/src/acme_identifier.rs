//! The certificate of a TLS-ALPN-01 challenge (RFC 8737 §3).

use rustls_pki_types::CertificateDer;
use x509_parser::oid_registry::{Oid, asn1_rs::oid};

use crate::facts;

/// `id-pe-acmeIdentifier`.
const ACME_IDENTIFIER: Oid<'static> = oid!(1.3.6.1.5.5.7.1.31);

/// The digest a certificate shows, if it is one of a challenge: in a critical extension, as an octet string of 32 bytes.
pub(crate) fn digest_in(certificate: &CertificateDer<'_>) -> Option<[u8; 32]> {
    let parsed = facts::parse(certificate).ok()?;
    let extension = parsed.extensions().iter().find(|extension| extension.oid == ACME_IDENTIFIER)?;
    let digest = extension.value.strip_prefix(&[0x04, 0x20])?;
    extension.critical.then(|| digest.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension, KeyPair};

    use super::*;

    #[test]
    fn the_digest_is_read() {
        let mut params = CertificateParams::new(vec!["www.example.org".into()]).unwrap();
        let key = KeyPair::generate().unwrap();
        assert_eq!(digest_in(params.self_signed(&key).unwrap().der()), None);
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(&[7; 32])];
        assert_eq!(digest_in(params.self_signed(&key).unwrap().der()), Some([7; 32]));
        params.custom_extensions[0].set_criticality(false);
        assert_eq!(digest_in(params.self_signed(&key).unwrap().der()), None);
    }
}
