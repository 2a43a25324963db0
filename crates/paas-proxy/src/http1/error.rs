use std::io;

use crate::client_body::ClientBodyError;

/// Why an exchange with a target came to nothing, or its answer ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Http1Error {
    #[error("the connection to the target broke")]
    Broken(#[source] io::Error),
    #[error("the target closed the connection before the end of its answer")]
    Closed,
    #[error("the target's answer is not HTTP/1.1: {0}")]
    Malformed(&'static str),
    #[error("the client's body ended badly")]
    ClientBody(#[source] ClientBodyError),
    #[error("the client's body was not as long as it said")]
    ClientLength,
}
