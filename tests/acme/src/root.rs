use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, SanType};
use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority of the test's own, for the servers' own certificates.
pub struct TestRoot {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestRoot {
    /// Makes one.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    /// Its certificate.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate and key for an address, both in PEM.
    pub fn server_pair(&self, address: IpAddr) -> (String, String) {
        let (certificate, key) = self.server(address);
        (certificate.pem(), key.serialize_pem())
    }

    /// A TLS server at an address.
    pub fn server_config(&self, address: IpAddr) -> Arc<ServerConfig> {
        let (certificate, key) = self.server(address);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }

    fn server(&self, address: IpAddr) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::IpAddress(address)];
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}
