use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    path::PathBuf,
    time::Duration,
};

/// What [`run`](crate::run()) needs to know.
#[derive(Debug)]
pub struct ProxyConfig {
    /// Where to listen for HTTP when no listening socket was inherited.
    pub http: Vec<SocketAddr>,
    /// Where to listen for HTTPS when no listening socket was inherited. Empty: HTTPS is not served. An inherited socket whose
    /// port is one of these is for HTTPS.
    pub https: Vec<SocketAddr>,
    /// The port under which visitors reach HTTPS, usually 443: it stands in redirects.
    pub https_public_port: u16,
    /// Whether to serve HTTP/3 (UDP) at the addresses of `https` too.
    pub http3: bool,
    /// The directory of the certificates and their keys, e.g. `/var/lib/paas/proxy/certs`. Made if missing, for this user alone.
    pub certificates: PathBuf,
    /// Listening sockets that exist already. When there are any, or when systemd passed some (`LISTEN_FDS`), no address of
    /// `http` and `https` is bound.
    pub inherited: Vec<TcpListener>,
    /// UDP sockets for HTTP/3 that exist already, used instead of new ones. Those that systemd passed count too.
    pub inherited_udp: Vec<UdpSocket>,
    /// Where commands arrive.
    pub admin: AdminSocket,
    /// The routing table, e.g. `/var/lib/paas/proxy/table.json`. `<file>.prev` beside it is the table before it.
    pub state_file: PathBuf,
    /// Times and sizes.
    pub limits: Limits,
}

/// The admin socket's place and who may use it: whoever may write to the socket file may command the proxy.
#[derive(Debug, Clone)]
pub struct AdminSocket {
    /// The socket file, e.g. `/run/paas/proxy.sock`. Its directory must exist.
    pub path: PathBuf,
    /// The file's mode.
    pub mode: u32,
    /// The group id given to the file; `None` leaves the process's group.
    pub group: Option<u32>,
}

impl AdminSocket {
    /// The socket at `path`, mode 0660, the process's own group.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), mode: 0o660, group: None }
    }
}

/// Times and sizes of the data path. The defaults suit a public server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request (or from the accept, a TLS handshake included) to the end of its header. Default 10 s.
    pub header_timeout: Duration,
    /// How long a kept-alive connection may be without a request. Default 60 s.
    pub idle_timeout: Duration,
    /// How long a client may take no byte of an answer, or send no byte of a body that is waited for. Default 60 s.
    pub stall_timeout: Duration,
    /// How long a connection to a target may take. Default 5 s.
    pub connect_timeout: Duration,
    /// From the last sign of the request body to the header of the target's answer. Default 60 s.
    pub response_timeout: Duration,
    /// How long a connection to a target is kept for the next request; below Node's 5 s. Default 4 s.
    pub upstream_idle: Duration,
    /// At a shutdown: how long requests in flight may take to end. Default 30 s.
    pub shutdown_timeout: Duration,
    /// Client connections at one time; more wait in the kernel's queue. Default 16,384.
    pub max_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            stall_timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_mins(1),
            upstream_idle: Duration::from_secs(4),
            shutdown_timeout: Duration::from_secs(30),
            max_connections: 16_384,
        }
    }
}
