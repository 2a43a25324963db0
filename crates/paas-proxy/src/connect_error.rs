use std::{io, time::Duration};

use crate::http1::Http1Error;

/// Why a target could not be reached. No request byte was sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the connection was not accepted")]
    Refused(#[source] io::Error),
    #[error("no connection within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the connection broke before a request")]
    Handshake(#[source] hyper::Error),
    #[error("the connection took no byte of the request")]
    Unsent(#[source] Http1Error),
}
