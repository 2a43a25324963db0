use std::time::Duration;

use thiserror::Error;

/// Why an authority gave no certificate. `Display` is one plain sentence for the person.
#[derive(Debug, Error)]
#[error("{sentence}")]
pub struct AcmeError {
    kind: AcmeErrorKind,
    sentence: String,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What sort of failure it is, for whoever decides what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AcmeErrorKind {
    /// No connection, or it broke.
    Unreachable,
    /// It answers that it cannot answer (5xx), or has not finished in time.
    Busy,
    /// A limit was reached (429, `rateLimited`).
    RateLimited,
    /// It could not check the name.
    Validation,
    /// It does not sign this name: policy, CAA.
    Refused,
    /// It does not accept the account: terms, an e-mail address, or an external account.
    Account,
    /// It does not know the account any more, or the credentials are of no use: make a new one.
    AccountGone,
    /// The order is unknown, invalid, expired or finished with another key: make a new one.
    OrderGone,
    /// We could not show the proof.
    Solver,
    /// It says something that is not ACME, or signed something else than we asked for.
    Protocol,
}

impl AcmeError {
    /// One without a cause. The sentence is for the person.
    pub fn new(kind: AcmeErrorKind, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into(), retry_after: None, source: None }
    }

    /// The same, when the authority asks to wait.
    #[must_use]
    pub fn after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub(crate) fn because_of(self, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source, ..self }
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> AcmeErrorKind {
        self.kind
    }

    /// How long the authority asks to wait before the next attempt, counted from when this was returned.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl AcmeErrorKind {
    /// Its word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::RateLimited => "rate_limited",
            Self::Validation => "validation",
            Self::Refused => "refused",
            Self::Account => "account",
            Self::AccountGone => "account_gone",
            Self::OrderGone => "order_gone",
            Self::Solver => "solver",
            Self::Protocol => "protocol",
        }
    }
}
