//! PEM blocks (RFC 7468) of certificates and keys.

use paas_domain::Secret;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::pair_error::PairError;

const BEGIN: &str = "-----BEGIN ";

/// The certificates of a text, in its order; at least one.
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PairError> {
    if !text.contains(BEGIN) {
        return Err(PairError::NotPem);
    }
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|_| PairError::Damaged)?;
    if found.is_empty() { Err(PairError::NoCertificate) } else { Ok(found) }
}

/// The only private key of a text.
pub(crate) fn private_key(text: &Secret) -> Result<PrivateKeyDer<'static>, PairError> {
    // The key's text goes into the parser alone.
    let text = text.expose();
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(PairError::EncryptedKey);
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text.as_bytes());
    let key = keys.next().ok_or(PairError::NoKey)?.map_err(|_| PairError::Damaged)?;
    if keys.next().is_some() { Err(PairError::ManyKeys) } else { Ok(key) }
}

/// Splits a text that holds certificates and their key, in any order, into the chain and the key, both as PEM. Text between the blocks and
/// other blocks (parameters, requests) are left out.
pub fn split_pem(text: &str) -> Result<(String, Secret), PairError> {
    let mut chain = String::new();
    let mut keys = Zeroizing::new(String::new());
    for block in blocks(text)? {
        if block.label == "CERTIFICATE" {
            chain.push_str(block.text);
            chain.push('\n');
        } else if block.label.ends_with("PRIVATE KEY") {
            keys.push_str(block.text);
            keys.push('\n');
        }
    }
    certificates(if chain.is_empty() { text } else { &chain })?;
    let key = Secret::new(keys.as_str());
    private_key(&key)?;
    Ok((chain, key))
}

struct Block<'a> {
    label: &'a str,
    text: &'a str,
}

/// The blocks of a text, each from its first line to its last.
fn blocks(mut text: &str) -> Result<Vec<Block<'_>>, PairError> {
    let mut blocks = Vec::new();
    while let Some(start) = text.find(BEGIN) {
        text = &text[start..];
        let label = text[BEGIN.len()..].split_once("-----").ok_or(PairError::Damaged)?.0;
        let last = format!("-----END {label}-----");
        let end = text.find(&last).ok_or(PairError::Damaged)? + last.len();
        blocks.push(Block { label, text: &text[..end] });
        text = &text[end..];
    }
    if blocks.is_empty() { Err(PairError::NotPem) } else { Ok(blocks) }
}
