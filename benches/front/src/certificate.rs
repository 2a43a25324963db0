use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::{RootCertStore, pki_types::CertificateDer};

use crate::error::BenchError;

/// An authority of our own whose certificates every server gets; all keys are ECDSA P-256.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A host's certificate with its key.
pub(crate) struct Certificate {
    /// The host's certificate, then the authority's, in PEM.
    pub(crate) chain: String,
    /// The host's key in PEM.
    pub(crate) key: String,
    /// How long the chain is in DER.
    pub(crate) chain_bytes: usize,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, BenchError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        Ok(Self(CertifiedIssuer::self_signed(params, key)?))
    }

    pub(crate) fn issue(&self, host: &str) -> Result<Certificate, BenchError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let leaf = CertificateParams::new([host.to_owned()])?.signed_by(&key, &self.0)?;
        Ok(Certificate {
            chain: leaf.pem() + &self.0.pem(),
            key: key.serialize_pem(),
            chain_bytes: leaf.der().len() + self.0.der().len(),
        })
    }

    /// What a client trusts.
    pub(crate) fn roots(&self) -> Result<RootCertStore, BenchError> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::clone(self.0.der()))?;
        Ok(roots)
    }
}
