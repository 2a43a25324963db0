//! Why a connection of the app ended.

use std::fmt;
use std::io;

/// Why a request could not be read or answered.
#[derive(Debug)]
pub(crate) enum AppError {
    /// The socket failed.
    Io(io::Error),
    /// The peer did not speak HTTP/1.1 (RFC 9112) or WebSocket (RFC 6455) as this app understands them.
    Malformed(&'static str),
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(_) => f.write_str("the connection failed"),
            Self::Malformed(what) => write!(f, "malformed request: {what}"),
        }
    }
}

impl std::error::Error for AppError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            Self::Malformed(_) => None,
        }
    }
}

impl From<io::Error> for AppError {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}
