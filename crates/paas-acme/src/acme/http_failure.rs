use std::time::Duration;

use http::StatusCode;
use instant_acme::Problem;
use thiserror::Error;

/// Why a request brought nothing the protocol can go on with.
#[derive(Debug, Error)]
pub(crate) enum HttpFailure {
    /// No connection, or none that is trusted.
    #[error("no connection")]
    Connect(#[source] hyper_util::client::legacy::Error),
    /// The connection broke; the request may have been received.
    #[error("the connection broke")]
    Cut(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No whole answer in time; the request may have been received.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// More than an authority ever has to say.
    #[error("an answer of more than {0} bytes")]
    TooLarge(usize),
    /// An answer that says no.
    #[error("HTTP status {}", .0.status.as_u16())]
    Answer(Answer),
}

/// An answer that says no.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// What it says, if it is a problem document (RFC 8555 §6.7).
    pub(crate) problem: Option<Problem>,
    pub(crate) retry_after: Option<Duration>,
}

impl Answer {
    /// The problem's type without its URN: `rateLimited`.
    pub(crate) fn problem_type(&self) -> &str {
        self.problem.as_ref().map_or("", problem_type)
    }
}

/// The last part of a problem's type.
pub(crate) fn problem_type(problem: &Problem) -> &str {
    problem
        .r#type
        .as_deref()
        .and_then(|urn| urn.strip_prefix("urn:ietf:params:acme:error:"))
        .unwrap_or_default()
}

/// The failure inside the client library's error, if that is what it is.
pub(crate) fn of(error: &instant_acme::Error) -> Option<&HttpFailure> {
    match error {
        instant_acme::Error::Other(inner) => inner.downcast_ref(),
        _ => None,
    }
}

/// The answer inside the client library's error, if that is what it is.
pub(crate) fn answer_in(error: &instant_acme::Error) -> Option<&Answer> {
    match of(error) {
        Some(HttpFailure::Answer(answer)) => Some(answer),
        _ => None,
    }
}
