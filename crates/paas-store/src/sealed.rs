//! Values sealed with XChaCha20-Poly1305. The place a value belongs to is authenticated with it, so a row cannot be swapped for another.

use chacha20poly1305::{
    Key, KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use paas_domain::Secret;
use zeroize::Zeroizing;

use crate::{certificates::CertificateSource, error::StoreError, secret_key::SecretKey};

const NONCE: usize = 24;

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Canary,
    ConfigVar { app: i64, name: &'a str },
    Release { app: i64, version: u32 },
    AcmeAccount { directory: &'a str },
    AuthorityKey,
    CertificateKey { source: CertificateSource, hostname: &'a str },
    AddedKey { app: i64, fingerprint: &'a str },
    OrderKey { hostname: &'a str },
}

impl Place<'_> {
    /// Unambiguous: a fixed word, then numbers of fixed width, then at most one text.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Canary => bytes.extend(b"canary\0"),
            Self::ConfigVar { app, name } => {
                bytes.extend(b"config\0");
                bytes.extend(app.to_be_bytes());
                bytes.extend(name.as_bytes());
            }
            Self::Release { app, version } => {
                bytes.extend(b"release\0");
                bytes.extend(app.to_be_bytes());
                bytes.extend(version.to_be_bytes());
            }
            Self::AcmeAccount { directory } => {
                bytes.extend(b"acme account\0");
                bytes.extend(directory.as_bytes());
            }
            Self::AuthorityKey => bytes.extend(b"authority key\0"),
            Self::CertificateKey { source, hostname } => {
                bytes.extend(b"certificate key\0");
                bytes.extend(source.as_str().as_bytes());
                bytes.push(0);
                bytes.extend(hostname.as_bytes());
            }
            Self::AddedKey { app, fingerprint } => {
                bytes.extend(b"added key\0");
                bytes.extend(app.to_be_bytes());
                bytes.extend(fingerprint.as_bytes());
            }
            Self::OrderKey { hostname } => {
                bytes.extend(b"order key\0");
                bytes.extend(hostname.as_bytes());
            }
        }
        bytes
    }

    fn describe(&self) -> String {
        match self {
            Self::Canary => "the database".to_owned(),
            Self::ConfigVar { name, .. } => format!("the config var {name}"),
            Self::Release { version, .. } => format!("release v{version}"),
            Self::AcmeAccount { directory } => format!("the account at {directory}"),
            Self::AuthorityKey => "the key of the server's own authority".to_owned(),
            Self::CertificateKey { hostname, .. } => format!("the key of the certificate for {hostname}"),
            Self::AddedKey { .. } => "the key of an added certificate".to_owned(),
            Self::OrderKey { hostname } => format!("the key of the order for {hostname}"),
        }
    }
}

/// Seals a value: a fresh random nonce, then the ciphertext.
pub(crate) fn seal(key: &SecretKey, place: Place<'_>, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let nonce: [u8; NONCE] = rand::random();
    let payload = Payload { msg: value, aad: &place.bytes() };
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| StoreError::Unsealable { what: place.describe() })?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens what was sealed for exactly this place.
pub(crate) fn open(
    key: &SecretKey,
    place: Place<'_>,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let unsealable = || StoreError::Unsealable { what: place.describe() };
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE>().ok_or_else(unsealable)?;
    let payload = Payload { msg: ciphertext, aad: &place.bytes() };
    cipher(key).decrypt(&XNonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| unsealable())
}

/// Opens a sealed text.
pub(crate) fn open_text(key: &SecretKey, place: Place<'_>, sealed: &[u8]) -> Result<Secret, StoreError> {
    let plain = open(key, place, sealed)?;
    let text = std::str::from_utf8(&plain).map_err(|_| StoreError::Unsealable { what: place.describe() })?;
    Ok(Secret::new(text))
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(*key.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        let dir = tempfile::tempdir().unwrap();
        SecretKey::create(&dir.path().join("k")).unwrap()
    }

    #[test]
    fn a_value_opens_only_at_its_place_with_its_key() {
        let key_one = key();
        let place = Place::ConfigVar { app: 1, name: "TOKEN" };
        let sealed = seal(&key_one, place, b"value").unwrap();
        assert_eq!(open(&key_one, place, &sealed).unwrap().as_slice(), b"value");
        assert!(open(&key(), place, &sealed).is_err());
        for other in [
            Place::ConfigVar { app: 2, name: "TOKEN" },
            Place::ConfigVar { app: 1, name: "TOKEN2" },
            Place::Canary,
        ] {
            assert!(open(&key_one, other, &sealed).is_err());
        }
        for cut in 0..sealed.len() {
            assert!(open(&key_one, place, &sealed[..cut]).is_err());
        }
        let mut flipped = sealed.clone();
        flipped[30] ^= 1;
        assert!(open(&key_one, place, &flipped).is_err());
        assert_ne!(seal(&key_one, place, b"value").unwrap(), sealed, "a nonce is never used twice");
    }
}
