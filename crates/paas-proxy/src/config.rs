use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tokio::sync::Notify;

use crate::handover::Successor;

/// What [`run`](crate::run()) needs to know.
#[derive(Debug)]
pub struct ProxyConfig {
    /// Where to listen for HTTP when no listening socket was inherited.
    pub http: Vec<SocketAddr>,
    /// Where to listen for HTTPS when no listening socket was inherited. Empty: HTTPS is not served. An inherited socket whose
    /// port is one of these is for HTTPS, unless systemd gives it the name `http` or `https` (`FileDescriptorName=`).
    pub https: Vec<SocketAddr>,
    /// The port under which visitors reach HTTPS, usually 443: it stands in redirects.
    pub https_public_port: u16,
    /// Whether to serve HTTP/3 (UDP) at the addresses of `https` too.
    pub http3: bool,
    /// The directory of the certificates and their keys, e.g. `/var/lib/paas/proxy/certs`. Made if missing, for this user alone.
    pub certificates: PathBuf,
    /// How another process can take the place of this one.
    pub hand_over: HandOver,
    /// Listening sockets that exist already. When there are any, or when systemd passed some (`LISTEN_FDS`), no address of
    /// `http` and `https` is bound.
    pub inherited: Vec<TcpListener>,
    /// UDP sockets for HTTP/3 that exist already, used instead of new ones. Those that systemd passed count too.
    pub inherited_udp: Vec<UdpSocket>,
    /// Where commands arrive.
    pub admin: AdminSocket,
    /// The routing table, e.g. `/var/lib/paas/proxy/table.json`. `<file>.prev` beside it is the table before it.
    pub state_file: PathBuf,
    /// The directory of the access logs, e.g. `/var/lib/paas/proxy/access`: `<service>.log`, and the ones before it as `<service>.log.1`
    /// to `.3`. Made if missing; its parent must exist.
    pub access_logs: PathBuf,
    /// Times and sizes.
    pub limits: Limits,
}

/// How one proxy takes the place of another while both run: no socket is closed, and no request is lost.
#[derive(Debug)]
pub struct HandOver {
    /// The process that this one takes over from, which has started it with this socket as its standard input. All its
    /// listening sockets come from there, and it is ended by that.
    pub predecessor: Option<UnixStream>,
    /// Starts the process that takes over from this one, when that is asked for by
    /// [`ProxyClient::hand_over`](crate::ProxyClient::hand_over) or by `asked`.
    pub successor: Option<Arc<dyn Successor>>,
    /// Each notification asks for a hand-over.
    pub asked: Arc<Notify>,
    /// How long that process may take to load what it needs, and then to begin. Commands wait meanwhile; requests do not. Default 10 s.
    pub patience: Duration,
}

impl Default for HandOver {
    fn default() -> Self {
        Self { predecessor: None, successor: None, asked: Arc::default(), patience: Duration::from_secs(10) }
    }
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
    /// How long a client may take for a body, or for answers on one connection, before its rate is looked at. Only the time counts in
    /// which it is waited for. Default 30 s.
    pub body_grace: Duration,
    /// The least bytes a client sends, or takes, for each second beyond that. Default 500.
    pub body_rate: u32,
    /// How long a connection to a target may take. Default 5 s.
    pub connect_timeout: Duration,
    /// From the last sign of the request body to the header of the target's answer. Default 60 s.
    pub response_timeout: Duration,
    /// How long a connection to a target is kept for the next request; below Node's 5 s. Default 4 s.
    pub upstream_idle: Duration,
    /// At a shutdown and after a hand-over: how long requests in flight may take to end. After a hand-over WebSockets live as
    /// long. Default 30 s.
    pub shutdown_timeout: Duration,
    /// Client connections at one time; more wait in the kernel's queue. Default 16,384.
    pub max_connections: usize,
    /// How many bytes of the disk beside the state file request bodies may use that are read whole before a target is asked, over
    /// all requests; past it 503. Default 2 GiB.
    pub buffered_bodies: u64,
    /// Those of one client, which is an IPv4 address or a /64 of IPv6. What is beyond is closed at once; this machine itself is
    /// not limited. Default 4,096.
    pub max_connections_of_client: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            stall_timeout: Duration::from_mins(1),
            body_grace: Duration::from_secs(30),
            body_rate: 500,
            connect_timeout: Duration::from_secs(5),
            response_timeout: Duration::from_mins(1),
            upstream_idle: Duration::from_secs(4),
            shutdown_timeout: Duration::from_secs(30),
            max_connections: 16_384,
            buffered_bodies: 2 << 30,
            max_connections_of_client: 4_096,
        }
    }
}
