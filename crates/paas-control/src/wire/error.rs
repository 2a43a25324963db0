use std::fmt;

use serde::{Deserialize, Serialize};

/// What sort of failure it is; decides the HTTP status and the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request is wrong or not allowed.
    Refused,
    /// What it names is not there (or is not the caller's to see).
    NotFound,
    /// It collides with what is there.
    Conflict,
    /// Something this needs does not answer now; the same request may succeed later.
    Unavailable,
    /// Our own fault; the server's log says more.
    Internal,
}

/// Why a request failed, in words for the person: what failed and why, then what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    /// What sort of failure.
    pub kind: ErrorKind,
    /// What failed and why.
    pub message: String,
    /// What to do next, one line each.
    #[serde(default)]
    pub hints: Vec<String>,
}

/// The JSON body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The failure.
    pub error: ApiError,
}

impl ApiError {
    /// A failure of that kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new() }
    }

    /// The same failure with one more line of advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ApiError {}
