use std::{fmt::Write, sync::Arc, time::SystemTime};

use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

use crate::key_pem::KeyPem;

/// Why a chain and a key are no certificate to serve.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCertificate {
    /// Not PEM.
    #[error("the chain is not PEM; put the certificates one after the other, the host's own first")]
    Chain(#[source] rustls::pki_types::pem::Error),
    /// An empty chain.
    #[error("the chain holds no certificate; put the host's own certificate first")]
    Empty,
    /// A part of the chain is no certificate.
    #[error("certificate number {0} of the chain cannot be read; take the chain as the authority gave it")]
    Unreadable(usize),
    /// Not PEM, or not of a key. Why is not told: a key's text belongs in no message.
    #[error("the key is not PEM of PKCS#8, SEC 1 or PKCS#1; convert it with `openssl pkey`")]
    Key,
    /// A kind of key that the TLS library does not sign with.
    #[error(
        "the key is of a kind that cannot be used; take ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits"
    )]
    UnusableKey(#[source] rustls::Error),
    /// Chain and key do not belong together.
    #[error("the key is not the key of the chain's first certificate; put the two that belong together")]
    Mismatch,
    /// The host's own certificate is one that the TLS library does not know how to serve.
    #[error("the first certificate of the chain cannot be served; take one made for TLS servers")]
    Unservable(#[source] rustls::Error),
}

/// A certificate that can be served. What was PEM is not kept.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    served: Arc<CertifiedKey>,
    pub(crate) trusted: bool,
    not_before: i64,
    not_after: i64,
}

impl Certificate {
    pub(crate) fn read(chain: &str, key: &KeyPem, trusted: bool) -> Result<Self, InvalidCertificate> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(InvalidCertificate::Chain)?;
        let (not_before, not_after) = check_chain(&chain)?;
        let key =
            PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| InvalidCertificate::Key)?;
        let key = ring::sign::any_supported_type(&key).map_err(InvalidCertificate::UnusableKey)?;
        let mut served = CertifiedKey::new(chain, key);
        served.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => InvalidCertificate::Mismatch,
            error => InvalidCertificate::Unservable(error),
        })?;
        served.cert.shrink_to_fit();
        Ok(Self { served: Arc::new(served), trusted, not_before, not_after })
    }

    pub(crate) fn served(&self) -> &Arc<CertifiedKey> {
        &self.served
    }

    /// Whether the two are the same certificate. A key that fits the same leaf is the same key, however it was written.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.trusted == other.trusted && self.served.cert == other.served.cert
    }

    pub(crate) fn is_valid_now(&self) -> bool {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        i64::try_from(now).is_ok_and(|now| (self.not_before..=self.not_after).contains(&now))
    }

    /// Whether visitors' browsers take it without a warning.
    pub(crate) fn is_accepted(&self) -> bool {
        self.trusted && self.is_valid_now()
    }

    pub(crate) fn not_after(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(self.not_after).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// SHA-256 of the leaf, in lower-case hex.
    pub(crate) fn fingerprint(&self) -> String {
        let leaf = self.served.cert.first().map_or(&[][..], |leaf| leaf.as_ref());
        Sha256::digest(leaf).iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Every certificate must be one; gives from when until when the first is valid.
fn check_chain(chain: &[CertificateDer<'_>]) -> Result<(i64, i64), InvalidCertificate> {
    let mut validity = None;
    for (index, der) in chain.iter().enumerate() {
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| InvalidCertificate::Unreadable(index + 1))?;
        if !rest.is_empty() {
            return Err(InvalidCertificate::Unreadable(index + 1));
        }
        let this = certificate.validity();
        validity.get_or_insert((this.not_before.timestamp(), this.not_after.timestamp()));
    }
    validity.ok_or(InvalidCertificate::Empty)
}
