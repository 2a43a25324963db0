use paas_domain::Secret;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use thiserror::Error;

/// Why no key could be made.
#[derive(Debug, Error)]
#[error("cannot make a private key: the system gives no random numbers")]
pub struct KeyError {
    source: rcgen::Error,
}

/// Makes a certificate's private key: ECDSA on P-256, as a PKCS#8 PEM block.
pub fn generate_key() -> Result<Secret, KeyError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|source| KeyError { source })?;
    Ok(Secret::new(key.serialize_pem()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_pkcs8_block_of_its_own() {
        let key = generate_key().unwrap();
        assert!(key.expose().starts_with("-----BEGIN PRIVATE KEY-----"));
        let read = KeyPair::from_pem(key.expose()).unwrap();
        assert_eq!(read.algorithm(), &PKCS_ECDSA_P256_SHA256);
        assert_ne!(key, generate_key().unwrap());
    }
}
