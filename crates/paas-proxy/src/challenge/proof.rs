use std::sync::Arc;

use bytes::Bytes;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::{
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
};

use crate::{api::ChallengeProof, refusal::Refusal};

const MAX_TOKEN: usize = 128;
const MAX_KEY_AUTHORIZATION: usize = 1024;

/// A challenge's answer, ready to be given.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    Http01 { token: String, key_authorization: Bytes },
    TlsAlpn01 { digest: [u8; 32], certificate: Arc<CertifiedKey> },
}

impl Proof {
    pub(super) fn read(host: &str, proof: ChallengeProof) -> Result<Self, Refusal> {
        match proof {
            ChallengeProof::Http01 { token, key_authorization } => http(token, key_authorization),
            ChallengeProof::TlsAlpn01 { digest } => {
                let digest = hex(&digest).ok_or_else(|| {
                    Refusal::invalid(
                        "the digest is not 64 lower-case hex digits; give the key authorization's SHA-256",
                    )
                })?;
                let certificate = certificate(host, &digest).map_err(|error| Refusal::of(&*error))?;
                Ok(Self::TlsAlpn01 { digest, certificate })
            }
        }
    }

    /// As it was put.
    pub(super) fn to_api(&self) -> ChallengeProof {
        match self {
            Self::Http01 { token, key_authorization } => ChallengeProof::Http01 {
                token: token.clone(),
                // It was text when it came.
                key_authorization: String::from_utf8_lossy(key_authorization).into_owned(),
            },
            Self::TlsAlpn01 { digest, .. } => ChallengeProof::TlsAlpn01 {
                digest: digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")),
            },
        }
    }

    /// Whether the two answer the same question.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Http01 { token: one, .. }, Self::Http01 { token: other, .. }) => one == other,
            (Self::TlsAlpn01 { digest: one, .. }, Self::TlsAlpn01 { digest: other, .. }) => one == other,
            _ => false,
        }
    }
}

fn http(token: String, key_authorization: String) -> Result<Proof, Refusal> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !(1..=MAX_TOKEN).contains(&token.len()) || !token.bytes().all(letter) {
        return Err(Refusal::invalid(format!(
            "the token is not 1 to {MAX_TOKEN} of A-Z a-z 0-9 - _; give it as the authority did"
        )));
    }
    let length = key_authorization.len();
    if !(1..=MAX_KEY_AUTHORIZATION).contains(&length)
        || !key_authorization.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(Refusal::invalid(format!(
            "the key authorization is not 1 to {MAX_KEY_AUTHORIZATION} visible ASCII characters"
        )));
    }
    Ok(Proof::Http01 { token, key_authorization: key_authorization.into() })
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut digest = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    for (byte, &[high, low]) in digest.iter_mut().zip(pairs) {
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(digest)
}

/// Self-signed, for the name alone, with the digest in a critical `acmeIdentifier` (RFC 8737, 3). Such a certificate cannot be
/// checked like others: nobody but an authority knows that extension.
fn certificate(host: &str, digest: &[u8; 32]) -> Result<Arc<CertifiedKey>, Box<dyn std::error::Error>> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new([host.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], ring::sign::any_supported_type(&key)?)))
}
