use paas_domain::Secret;
use rustls::crypto::ring::sign::any_supported_type;
use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;
use x509_parser::{certificate::X509Certificate, error::X509Error};

use crate::{CertificateFacts, PairError, facts, pem};

/// Checks that a chain and a key can serve HTTPS together at this moment, and says what the certificate says: the key is the first
/// certificate's, every certificate is signed by the next, and the first is within its time. Whether anybody trusts the chain is not
/// looked at.
pub fn check_pair(
    chain_pem: &str,
    key_pem: &Secret,
    now: OffsetDateTime,
) -> Result<CertificateFacts, PairError> {
    let chain = pem::certificates(chain_pem)?;
    let public_key = public_key(key_pem)?;
    check_leaf(&chain, &public_key)?;
    check_order(&chain)?;
    let facts = CertificateFacts::of(&chain[0])?;
    if facts.names.is_empty() {
        return Err(PairError::NoNames);
    }
    check_time(&facts, now)?;
    Ok(facts)
}

/// Whether the key is the one of the chain's first certificate.
pub(crate) fn is_key_of(chain_pem: &str, key_pem: &Secret) -> Result<bool, PairError> {
    let chain = pem::certificates(chain_pem)?;
    has_key(&chain[0], &public_key(key_pem)?)
}

/// The key's public half as a `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7).
fn public_key(key_pem: &Secret) -> Result<Vec<u8>, PairError> {
    let key = any_supported_type(&pem::private_key(key_pem)?).map_err(|_| PairError::UnsupportedKey)?;
    key.public_key().map(|key| key.to_vec()).ok_or(PairError::UnsupportedKey)
}

fn has_key(certificate: &CertificateDer<'_>, public_key: &[u8]) -> Result<bool, PairError> {
    Ok(facts::parse(certificate)?.public_key().raw == public_key)
}

fn check_leaf(chain: &[CertificateDer<'_>], public_key: &[u8]) -> Result<(), PairError> {
    for (index, certificate) in chain.iter().enumerate() {
        match (has_key(certificate, public_key)?, index) {
            (true, 0) => return Ok(()),
            (true, index) => return Err(PairError::LeafNotFirst { place: index + 1 }),
            (false, _) => {}
        }
    }
    Err(PairError::KeyMismatch)
}

fn check_order(chain: &[CertificateDer<'_>]) -> Result<(), PairError> {
    for (index, two) in chain.windows(2).enumerate() {
        let (signed, issuer) = (facts::parse(&two[0])?, facts::parse(&two[1])?);
        if !is_signed_by(&signed, &issuer) {
            return Err(PairError::Disordered { place: index + 1, next: index + 2 });
        }
    }
    Ok(())
}

/// By name and by signature; a signature of a kind we cannot check is taken.
fn is_signed_by(signed: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let verified = signed.verify_signature(Some(issuer.public_key()));
    signed.issuer().as_raw() == issuer.subject().as_raw()
        && matches!(verified, Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm))
}

fn check_time(facts: &CertificateFacts, now: OffsetDateTime) -> Result<(), PairError> {
    if now > facts.not_after {
        Err(PairError::Expired { at: facts.not_after })
    } else if now < facts.not_before {
        Err(PairError::NotYet { at: facts.not_before })
    } else {
        Ok(())
    }
}
