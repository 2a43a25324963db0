use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::key_pem::KeyPem;

/// A certificate and its key for one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CertificateSpec {
    /// `blog.example.com`, or `*.example.com` for every name one label below. No IP address: visitors of one send no name by
    /// which a certificate could be chosen (RFC 6066, 3).
    pub host: String,
    /// The chain in PEM, the host's own certificate first.
    pub chain: String,
    /// The key of the first certificate.
    pub key: KeyPem,
    /// True when visitors' browsers trust it: HTTP may be redirected to HTTPS while it is valid.
    pub trusted: bool,
}

/// One certificate in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CertificateStatus {
    /// The host it was put for.
    pub host: String,
    /// SHA-256 of the host's own certificate in DER, in lower-case hex.
    pub fingerprint: String,
    /// Until when it is valid.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// As it was put.
    pub trusted: bool,
}

/// The answer to [`put_certificate`](crate::ProxyClient::put_certificate) and
/// [`delete_certificate`](crate::ProxyClient::delete_certificate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CertificateOutcome {
    /// False when it was so already; nothing was written then.
    pub changed: bool,
}

/// What shows an ACME server that a host leads here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ChallengeSpec {
    /// The host; neither a wildcard nor an IP address.
    pub host: String,
    /// What to answer.
    pub proof: ChallengeProof,
}

/// The answer to a challenge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeProof {
    /// Over HTTP at `/.well-known/acme-challenge/TOKEN` (RFC 8555, 8.3).
    Http01 {
        /// The last segment of the path: 1 to 128 of base64url's letters.
        token: String,
        /// What is answered there.
        key_authorization: String,
    },
    /// In a TLS handshake for `acme-tls/1` (RFC 8737).
    TlsAlpn01 {
        /// SHA-256 of the key authorization, in lower-case hex.
        digest: String,
    },
}
