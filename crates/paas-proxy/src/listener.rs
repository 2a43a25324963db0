use std::{net::SocketAddr, sync::Arc};

use listenfd::ListenFd;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};

use crate::{config::ProxyConfig, error::ProxyError};

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 4096;

/// A socket to accept on.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    /// There when clients are to encrypt.
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

/// The sockets to accept on: those inherited, else those systemd passed (`LISTEN_FDS`), else new ones.
pub(crate) fn listeners(
    config: &mut ProxyConfig,
    tls: &Arc<ServerConfig>,
) -> Result<Vec<Listener>, ProxyError> {
    let mut inherited = std::mem::take(&mut config.inherited);
    if inherited.is_empty() {
        inherited = passed(&mut config.inherited_udp)?;
    }
    if !inherited.is_empty() {
        let adopt = |(index, socket)| adopt(index, socket, &config.https, tls);
        return inherited.into_iter().enumerate().map(adopt).collect();
    }
    if config.http.is_empty() && config.https.is_empty() {
        return Err(ProxyError::NoListener);
    }
    let plain = config.http.iter().map(|&address| Ok(Listener { socket: bind(address)?, tls: None }));
    let encrypted = config
        .https
        .iter()
        .map(|&address| Ok(Listener { socket: bind(address)?, tls: Some(Arc::clone(tls)) }));
    plain.chain(encrypted).collect()
}

fn passed(udp: &mut Vec<std::net::UdpSocket>) -> Result<Vec<std::net::TcpListener>, ProxyError> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        if let Ok(socket) = passed.take_udp_socket(index) {
            udp.extend(socket);
            continue;
        }
        let taken =
            passed.take_tcp_listener(index).map_err(|source| ProxyError::Inherited { index, source })?;
        listeners.extend(taken);
    }
    Ok(listeners)
}

/// One unit of systemd passes the sockets of both: the port says which is for HTTPS.
fn adopt(
    index: usize,
    socket: std::net::TcpListener,
    https: &[SocketAddr],
    tls: &Arc<ServerConfig>,
) -> Result<Listener, ProxyError> {
    let adopted = socket.set_nonblocking(true).and_then(|()| {
        let port = socket.local_addr()?.port();
        let encrypted = https.iter().any(|address| address.port() == port);
        Ok(Listener { socket: TcpListener::from_std(socket)?, tls: encrypted.then(|| Arc::clone(tls)) })
    });
    adopted.map_err(|source| ProxyError::Inherited { index, source })
}

fn bind(address: SocketAddr) -> Result<TcpListener, ProxyError> {
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // Without it a restart waits for the connections of the process before it.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| ProxyError::Listen { address, source })
}
