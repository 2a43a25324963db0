use std::{
    io,
    net::{self, SocketAddr, UdpSocket},
    sync::Arc,
};

use listenfd::ListenFd;
use rustix::net::sockopt::set_tcp_nodelay;
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use socket2::SockRef;
use tokio::net::TcpSocket;

use crate::{config::ProxyConfig, error::ProxyError, keep_alive::keep_alive};

/// What the kernel takes of an answer beyond what it has sent: a client that takes nothing has it hold megabytes else (`tcp(7)`).
const UNSENT: u32 = 32 * 1024;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 4096;

/// What a listening socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Http,
    Https,
    Http3,
}

impl Role {
    /// By the name its unit gives a socket (`FileDescriptorName=`, `sd_listen_fds_with_names(3)`).
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            "http3" => Some(Self::Http3),
            _ => None,
        }
    }
}

/// The sockets of a proxy, whoever has made them.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    pub(crate) tcp: Vec<(Role, net::TcpListener)>,
    pub(crate) udp: Vec<UdpSocket>,
}

impl Sockets {
    /// Those inherited, else those systemd passed (`LISTEN_FDS`), else new ones. UDP sockets are never made here.
    pub(crate) fn find(config: &mut ProxyConfig) -> Result<Self, ProxyError> {
        let by_port = |socket: net::TcpListener| (role_by_port(&socket, &config.https), socket);
        let tcp = std::mem::take(&mut config.inherited).into_iter().map(by_port).collect();
        let mut found = Self { tcp, udp: std::mem::take(&mut config.inherited_udp) };
        if found.tcp.is_empty() {
            found.adopt_passed(&config.https)?;
        }
        if !found.tcp.is_empty() {
            return Ok(found);
        }
        if config.http.is_empty() && config.https.is_empty() {
            return Err(ProxyError::NoListener);
        }
        for (role, addresses) in [(Role::Http, &config.http), (Role::Https, &config.https)] {
            for &address in addresses {
                found.tcp.push((role, bind(address)?));
            }
        }
        Ok(found)
    }

    fn adopt_passed(&mut self, https: &[SocketAddr]) -> Result<(), ProxyError> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut passed = ListenFd::from_env();
        for index in 0..passed.len() {
            let role = names.next().and_then(Role::of_name);
            if let Ok(socket) = passed.take_udp_socket(index) {
                self.udp.extend(socket);
                continue;
            }
            let taken =
                passed.take_tcp_listener(index).map_err(|source| ProxyError::Inherited { index, source })?;
            self.tcp.extend(taken.map(|socket| {
                let role = role.filter(|role| *role != Role::Http3);
                (role.unwrap_or_else(|| role_by_port(&socket, https)), socket)
            }));
        }
        Ok(())
    }
}

/// A socket without a name we know is for HTTPS when its port is.
fn role_by_port(socket: &net::TcpListener, https: &[SocketAddr]) -> Role {
    let port = socket.local_addr().map(|address| address.port());
    let encrypted = port.is_ok_and(|port| https.iter().any(|address| address.port() == port));
    if encrypted { Role::Https } else { Role::Http }
}

/// A socket to accept on.
#[derive(Debug)]
pub(crate) struct Listener {
    /// Not blocking. What it accepts has Nagle's algorithm off, sends probes when it is silent, and buffers little, as the socket itself.
    pub(crate) socket: net::TcpListener,
    pub(crate) address: SocketAddr,
    /// There when clients are to encrypt.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// Makes the sockets ready to accept on.
pub(crate) fn listeners(
    sockets: Vec<(Role, net::TcpListener)>,
    tls: &Arc<ServerConfig>,
) -> Result<Vec<Listener>, ProxyError> {
    let ready = |(index, (role, socket)): (usize, (Role, net::TcpListener))| {
        let tls = (role == Role::Https).then(|| Arc::clone(tls));
        Listener::new(socket, tls).map_err(|source| ProxyError::Inherited { index, source })
    };
    sockets.into_iter().enumerate().map(ready).collect()
}

impl Listener {
    fn new(socket: net::TcpListener, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // Small answers must not wait for the acknowledgement of the ones before. Accepted sockets inherit it.
        set_tcp_nodelay(&socket, true)?;
        keep_alive(&socket)?;
        SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT)?;
        Ok(Self { address: socket.local_addr()?, socket, tls })
    }

    /// Another handle on the same socket.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, address: self.address, tls: self.tls.clone() })
    }
}

fn bind(address: SocketAddr) -> Result<net::TcpListener, ProxyError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Without it a restart waits for the connections of the process before it.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    listen().map_err(|source| ProxyError::Listen { address, source })
}

#[cfg(test)]
mod tests {
    use rustix::net::sockopt::{socket_keepalive, tcp_keepidle, tcp_nodelay};

    use super::*;

    #[tokio::test]
    async fn what_is_accepted_is_set_as_the_socket_itself() {
        let socket = bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = Listener::new(socket, None).unwrap();
        let _client = net::TcpStream::connect(listener.address).unwrap();
        let accepted = loop {
            if let Ok((accepted, _)) = listener.socket.accept() {
                break accepted;
            }
        };
        assert!(tcp_nodelay(&accepted).unwrap() && socket_keepalive(&accepted).unwrap());
        assert_eq!(tcp_keepidle(&accepted).unwrap().as_secs(), 60);
    }
}
