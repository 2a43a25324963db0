use std::{fmt::Write, sync::Arc, time::SystemTime};

use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName, prelude::FromDer};

use crate::{
    host::{Host, HostPattern},
    key_pem::KeyPem,
};

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
    /// Whom it speaks for.
    names: Arc<[HostPattern]>,
}

impl Certificate {
    pub(crate) fn read(chain: &str, key: &KeyPem, trusted: bool) -> Result<Self, InvalidCertificate> {
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(InvalidCertificate::Chain)?;
        let Leaf { not_before, not_after, names } = check_chain(&chain)?;
        let key =
            PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| InvalidCertificate::Key)?;
        let key = ring::sign::any_supported_type(&key).map_err(InvalidCertificate::UnusableKey)?;
        let mut served = CertifiedKey::new(chain, key);
        served.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => InvalidCertificate::Mismatch,
            error => InvalidCertificate::Unservable(error),
        })?;
        served.cert.shrink_to_fit();
        Ok(Self { served: Arc::new(served), trusted, not_before, not_after, names: names.into() })
    }

    pub(crate) fn served(&self) -> &Arc<CertifiedKey> {
        &self.served
    }

    /// Whether the two are the same certificate. A key that fits the same leaf is the same key, however it was written.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.trusted == other.trusted && self.served.cert == other.served.cert
    }

    /// Whether the two have the same first certificate.
    pub(crate) fn has_leaf_of(&self, other: &Self) -> bool {
        self.served.cert.first() == other.served.cert.first()
    }

    /// Whether the host is one of those it was made for (RFC 9525, 6.3).
    pub(crate) fn speaks_for(&self, host: &Host<'_>) -> bool {
        self.names.iter().any(|name| name.takes(host))
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

/// What is kept of a host's own certificate.
struct Leaf {
    not_before: i64,
    not_after: i64,
    names: Vec<HostPattern>,
}

/// Every certificate must be one; gives what is to be known of the first.
fn check_chain(chain: &[CertificateDer<'_>]) -> Result<Leaf, InvalidCertificate> {
    let mut first = None;
    for (index, der) in chain.iter().enumerate() {
        let (rest, certificate) =
            X509Certificate::from_der(der).map_err(|_| InvalidCertificate::Unreadable(index + 1))?;
        if !rest.is_empty() {
            return Err(InvalidCertificate::Unreadable(index + 1));
        }
        first.get_or_insert_with(|| Leaf {
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            names: names(&certificate),
        });
    }
    first.ok_or(InvalidCertificate::Empty)
}

/// The names of DNS; a name that is no host speaks for nobody.
fn names(certificate: &X509Certificate<'_>) -> Vec<HostPattern> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => HostPattern::parse(name).ok(),
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}
