use std::{io, net::SocketAddr, path::PathBuf};

use crate::{
    handover::HandOverError,
    state_file::LoadError,
    tls::{CertificatesError, UnknownHostError},
};

/// Why the proxy could not start, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The table on disk cannot be used.
    #[error("the routing table could not be loaded")]
    Table(#[source] LoadError),
    /// The certificates on disk cannot be reached.
    #[error("the certificates could not be loaded")]
    Certificates(#[from] CertificatesError),
    /// Unknown hosts would have no answer.
    #[error("unknown hosts cannot be answered over HTTPS")]
    UnknownHost(#[from] UnknownHostError),
    /// The TLS library refuses its own defaults, or has no random numbers.
    #[error("TLS could not be set up; report this")]
    Tls(#[source] rustls::Error),
    /// The system gives no threads.
    #[error(
        "the threads that carry requests could not be started; is a limit of tasks reached (`ulimit -u`, `TasksMax=`)?"
    )]
    Workers(#[source] io::Error),
    /// Nothing to listen on.
    #[error("no address to listen on; set one or pass listening sockets with LISTEN_FDS")]
    NoListener,
    /// An address could not be bound.
    #[error(
        "could not listen on {address}; is another server using the port (see `ss -ltnp`), or is the privilege missing?"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QUIC refuses the TLS settings.
    #[error("HTTP/3 could not be set up; report this")]
    Quic,
    /// A socket passed by the service manager cannot be used.
    #[error(
        "listening socket number {index} passed by the service manager cannot be used; it must be a TCP socket, or a UDP socket for HTTP/3"
    )]
    Inherited {
        /// Its place among the passed sockets.
        index: usize,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The proxy before this one goes on.
    #[error("this proxy did not take over from the one that runs")]
    HandOver(#[from] HandOverError),
    /// Another proxy runs.
    #[error("a proxy already answers on {}; stop it first", path.display())]
    AlreadyRunning {
        /// The admin socket.
        path: PathBuf,
    },
    /// A part of the proxy ended by itself, which is a defect. Requests in flight were allowed to end.
    #[error(
        "a part of the proxy ended unexpectedly; start it again with `systemctl restart paas-proxy` and report the log"
    )]
    PartEnded,
    /// The admin socket could not be made.
    #[error("could not make the admin socket {}; check that its directory exists and can be written", path.display())]
    Admin {
        /// The admin socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}
