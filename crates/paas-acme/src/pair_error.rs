use thiserror::Error;
use time::{Date, OffsetDateTime};

/// Why a text is not a certificate with its key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PairError {
    /// Not one PEM block.
    #[error(
        "this is not PEM: give the text that begins with -----BEGIN CERTIFICATE-----, with its line breaks"
    )]
    NotPem,
    /// A block is cut off or holds other than Base64.
    #[error("a PEM block is damaged: copy it again, from -----BEGIN to the line -----END …-----")]
    Damaged,
    /// No certificate block.
    #[error(
        "there is no certificate in this text: give the block that begins with -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// A certificate block does not hold an X.509 certificate.
    #[error("a certificate block does not hold an X.509 certificate: copy it again")]
    NotCertificate,
    /// No key block.
    #[error(
        "there is no private key in this text: add the block that begins with -----BEGIN PRIVATE KEY-----"
    )]
    NoKey,
    /// More than one key block.
    #[error("there is more than one private key in this text: keep the one of the certificate")]
    ManyKeys,
    /// The key needs a passphrase.
    #[error(
        "the private key is encrypted: decrypt it first, for example with `openssl pkey -in key.pem -out plain.pem`"
    )]
    EncryptedKey,
    /// The key is of a kind no server of ours can use.
    #[error(
        "this kind of private key is not supported: use ECDSA P-256 or P-384, RSA with 2048 to 8192 bits, or Ed25519"
    )]
    UnsupportedKey,
    /// The key belongs to none of the certificates.
    #[error(
        "the private key does not belong to this certificate: give the key the certificate was requested with"
    )]
    KeyMismatch,
    /// The key's certificate is there, but not at the beginning.
    #[error(
        "the certificate of the private key is number {place} of the chain: put it first, and its issuers after it"
    )]
    LeafNotFirst {
        /// Its place, counted from one.
        place: usize,
    },
    /// A certificate of the chain was not signed by the one after it.
    #[error(
        "the chain is out of order: certificate {next} did not sign certificate {place}, remove it or put the issuer there"
    )]
    Disordered {
        /// The signed one's place, counted from one.
        place: usize,
        /// The place after it.
        next: usize,
    },
    /// It names no host.
    #[error("the certificate names no host (it has no DNS name among its alternative names)")]
    NoNames,
    /// Its time is over.
    #[error("the certificate expired on {}: get a new one", date(.at))]
    Expired {
        /// When.
        at: OffsetDateTime,
    },
    /// Its time has not come.
    #[error("the certificate is not valid before {}", date(.at))]
    NotYet {
        /// When it begins.
        at: OffsetDateTime,
    },
}

fn date(at: &OffsetDateTime) -> Date {
    at.to_offset(time::UtcOffset::UTC).date()
}
