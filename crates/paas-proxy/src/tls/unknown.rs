//! The answer to names that have no certificate: fixed, self-signed, and silent about who lives here.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

use super::{
    certificate::{Certificate, InvalidCertificate},
    directory::{Directory, Saved},
};
use crate::{api::CertificateSpec, key_pem::KeyPem};

/// Never a host of anybody (RFC 6761, 6.4).
const NAME: &str = "unknown.invalid";

/// Why there is no such certificate.
#[derive(Debug, thiserror::Error)]
pub enum UnknownHostError {
    /// It could not be made.
    #[error("could not make a certificate for unknown hosts")]
    Make(#[from] rcgen::Error),
    /// What was made is no certificate.
    #[error("the certificate made for unknown hosts cannot be used")]
    Use(#[from] InvalidCertificate),
}

/// The one on disk, so that it is the same after a restart, or else a new one.
pub(super) fn certificate(directory: &Directory) -> Result<Certificate, UnknownHostError> {
    if let Some(certificate) = directory.find_unknown() {
        return Ok(certificate);
    }
    let spec = make()?;
    let certificate = Certificate::read(&spec.chain, &spec.key, spec.trusted)?;
    if let Err(error) = directory.save_unknown(&Saved::new(spec)) {
        // Served all the same: a full disk must not keep every host down.
        tracing::error!(error = %crate::refusal::with_sources(&error), "the certificate for unknown hosts is not saved");
    }
    Ok(certificate)
}

fn make() -> Result<CertificateSpec, rcgen::Error> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([NAME.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.not_before = date_time_ymd(2000, 1, 1);
    // No expiry (RFC 5280, 4.1.2.5).
    params.not_after = date_time_ymd(9999, 12, 31);
    let chain = params.self_signed(&key)?.pem();
    let key = KeyPem::new(key.serialize_pem());
    Ok(CertificateSpec { host: NAME.to_owned(), chain, key, trusted: false })
}
