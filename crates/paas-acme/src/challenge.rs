use async_trait::async_trait;
use paas_domain::Hostname;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A way to show an authority that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChallengeKind {
    /// A file over HTTP on port 80 (RFC 8555 §8.3).
    #[serde(rename = "http-01")]
    Http01,
    /// A certificate in a TLS handshake on port 443 (RFC 8737).
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// A TXT record (RFC 8555 §8.4); the only way for a wildcard.
    #[serde(rename = "dns-01")]
    Dns01,
}

/// What has to be shown, and for which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// The name; a wildcard as it is.
    pub host: Hostname,
    /// What to show.
    pub proof: Proof,
}

/// What has to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// `http://HOST/.well-known/acme-challenge/TOKEN` answers with the key authorization.
    Http01 {
        /// The last part of the path.
        token: String,
        /// The whole answer's body.
        key_authorization: String,
    },
    /// A handshake for the host with ALPN `acme-tls/1` gets a certificate whose `acmeIdentifier` extension is this SHA-256 digest.
    TlsAlpn01 {
        /// The digest of the key authorization.
        digest: [u8; 32],
    },
    /// A TXT record.
    Dns01 {
        /// Its name, without a dot at the end: `_acme-challenge.example.org`.
        name: String,
        /// Its value.
        value: String,
    },
}

impl Proof {
    /// Which way it is.
    pub fn kind(&self) -> ChallengeKind {
        match self {
            Self::Http01 { .. } => ChallengeKind::Http01,
            Self::TlsAlpn01 { .. } => ChallengeKind::TlsAlpn01,
            Self::Dns01 { .. } => ChallengeKind::Dns01,
        }
    }
}

impl ChallengeKind {
    /// Its name in the protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Dns01 => "dns-01",
        }
    }
}

impl std::fmt::Display for ChallengeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Shows proofs to the world.
///
/// A challenge may be presented twice, and removed when it never was or was only in part.
#[async_trait]
pub trait Solver: Send + Sync {
    /// Shows it. When this returns, a request from anywhere sees it.
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError>;

    /// Takes it away again. Comes to an end by itself; a failure is the solver's own to log.
    async fn remove(&self, challenge: &Challenge);

    /// Takes it away where nobody can wait: the work it was presented for was dropped. Must not block. A solver whose [`Solver::remove`]
    /// has to wait for anything starts a task here; unless it does, the removal gets as far as it gets without waiting.
    fn abandon(&self, challenge: &Challenge) {
        let mut removal = self.remove(challenge);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let _ = removal.as_mut().poll(&mut context);
    }
}

/// Why a proof could not be shown, as one sentence.
#[derive(Debug, Error)]
#[error("{sentence}")]
pub struct SolveError {
    sentence: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SolveError {
    /// What failed and what to do.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), source: None }
    }

    /// The sentence and the cause, for an error whose own sentence takes the first in.
    pub(crate) fn into_parts(self) -> (String, Option<Box<dyn std::error::Error + Send + Sync>>) {
        (self.sentence, self.source)
    }

    /// The same, with its cause.
    pub fn because(
        sentence: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { sentence: sentence.into(), source: Some(source.into()) }
    }
}
