use std::path::PathBuf;

use thiserror::Error;

use crate::wire::ApiError;

/// Why a call to control failed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nothing answers on the socket.
    #[error("the server process does not answer on {}; start it with `systemctl start paas`", socket.display())]
    Unreachable {
        /// Where it was looked for.
        socket: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Control said no; its own words.
    #[error("{0}")]
    Refused(ApiError),
    /// The answer was cut: control went away in the middle. What was asked may have been done.
    #[error("the server process went away while it answered")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not one of ours: client and server are of different versions.
    #[error("the server's answer was not understood; client and server may be of different versions")]
    Protocol(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ClientError {
    pub(super) fn broken(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Broken(source.into())
    }

    pub(super) fn protocol(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Protocol(source.into())
    }
}
