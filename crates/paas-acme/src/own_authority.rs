use paas_domain::{Hostname, Secret};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SerialNumber,
};
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use crate::{KeyError, PairError, check_pair, generate_key};

/// How long the root lives. It has no successor mechanism: ten years is longer than a server.
const ROOT_LIFETIME: Duration = Duration::days(3650);
const LEAF_LIFETIME: Duration = Duration::days(90);
/// Certificates begin this long ago, for clients whose clock is slow.
const EARLIER: Duration = Duration::hours(1);

/// The server's own authority: it signs names no public authority would, for people who trust its root.
pub struct OwnAuthority {
    certificate_pem: String,
    key_pem: Secret,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate in PEM, alone: whoever trusts the root has it.
    pub chain: String,
    /// Its private key, PKCS#8 PEM.
    pub key: Secret,
}

/// Why the own authority could not be made, read or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OwnAuthorityError {
    /// No key.
    #[error("cannot make the key")]
    Key(#[from] KeyError),
    /// Certificate and key that were stored do not belong together or are damaged.
    #[error(
        "the stored certificate and key of the server's own authority cannot be used: restore them from a backup"
    )]
    Stored(#[source] PairError),
    /// They belong together, but the certificate is not an authority's.
    #[error("the stored certificate is not that of an authority: restore it from a backup")]
    NotAuthority,
    /// Signing failed.
    #[error("cannot sign a certificate")]
    Sign(#[from] rcgen::Error),
}

impl OwnAuthority {
    /// Makes a new root for a server: ECDSA P-256, ten years, allowed to sign servers' certificates and no authorities below it.
    pub fn generate(server: &str, now: OffsetDateTime) -> Result<Self, OwnAuthorityError> {
        let key_pem = generate_key()?;
        let key = KeyPair::from_pem(key_pem.expose())?;
        let certificate_pem = root(server, now).self_signed(&key)?.pem();
        let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key)?;
        Ok(Self { certificate_pem, key_pem, issuer })
    }

    /// Takes up an authority that was made before.
    pub fn load(certificate_pem: &str, key_pem: &Secret) -> Result<Self, OwnAuthorityError> {
        let belongs = crate::pair::is_key_of(certificate_pem, key_pem).map_err(OwnAuthorityError::Stored)?;
        if !belongs {
            return Err(OwnAuthorityError::Stored(PairError::KeyMismatch));
        }
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, KeyPair::from_pem(key_pem.expose())?)?;
        if !issuer.key_usages().contains(&KeyUsagePurpose::KeyCertSign) {
            return Err(OwnAuthorityError::NotAuthority);
        }
        Ok(Self { certificate_pem: certificate_pem.to_owned(), key_pem: key_pem.clone(), issuer })
    }

    /// The root, in PEM: what people install to trust it.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The root's private key, to be stored.
    pub fn key_pem(&self) -> &Secret {
        &self.key_pem
    }

    /// Signs a certificate for a host, wildcards included: a new ECDSA P-256 key, valid from an hour ago for 90 days.
    pub fn issue(&self, host: &Hostname, now: OffsetDateTime) -> Result<Issued, OwnAuthorityError> {
        let key_pem = generate_key()?;
        let key = KeyPair::from_pem(key_pem.expose())?;
        let certificate = leaf(host, now)?.signed_by(&key, &self.issuer)?;
        let chain = certificate.pem();
        check_pair(&chain, &key_pem, now).map_err(OwnAuthorityError::Stored)?;
        Ok(Issued { chain, key: key_pem })
    }
}

impl std::fmt::Debug for OwnAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnAuthority").finish_non_exhaustive()
    }
}

fn root(server: &str, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    // RFC 5280 appendix A.1: a common name has at most 64 characters.
    let name: String = format!("paas authority of {server}").chars().take(64).collect();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (now - EARLIER, now + ROOT_LIFETIME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(serial());
    params
}

fn leaf(host: &Hostname, now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(vec![host.as_str().to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    (params.not_before, params.not_after) = (now - EARLIER, now - EARLIER + LEAF_LIFETIME);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial());
    Ok(params)
}

/// 127 random bits, positive and without a leading zero byte (RFC 5280 §4.1.2.2).
fn serial() -> SerialNumber {
    let mut bytes: [u8; 16] = rand::random();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}
