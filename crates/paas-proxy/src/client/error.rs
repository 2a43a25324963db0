use std::{io, path::PathBuf, time::Duration};

use http::StatusCode;

use crate::refusal::Refusal;

/// Why a command has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum ProxyClientError {
    /// Nobody listens on the socket, or it may not be used.
    #[error("the proxy does not answer on {}; start it with `systemctl start paas-proxy`", socket.display())]
    Unreachable {
        /// The admin socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection broke: the proxy ended meanwhile. A change may have been made; putting it again is safe.
    #[error("the proxy does not answer on {}; start it with `systemctl start paas-proxy`", socket.display())]
    Broken {
        /// The admin socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// No answer came. A change may have been made; putting it again is safe.
    #[error(
        "the proxy does not answer on {} within {} s; restart it with `systemctl restart paas-proxy`",
        socket.display(), after.as_secs()
    )]
    TimedOut {
        /// The admin socket.
        socket: PathBuf,
        /// How long was waited.
        after: Duration,
    },
    /// The proxy refused the command; nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// An answer of another version.
    #[error(
        "the proxy's answer (status {status}) is not understood; restart it so that both are the same version: `systemctl restart paas-proxy`"
    )]
    Answer {
        /// Its status.
        status: StatusCode,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}
