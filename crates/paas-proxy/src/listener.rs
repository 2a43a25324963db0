use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpSocket};

use crate::{config::ProxyConfig, error::ProxyError};

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 4096;

/// The sockets to accept on: those inherited, else those systemd passed (`LISTEN_FDS`), else new ones.
pub(crate) fn listeners(config: &mut ProxyConfig) -> Result<Vec<TcpListener>, ProxyError> {
    let mut inherited = std::mem::take(&mut config.inherited);
    if inherited.is_empty() {
        inherited = passed()?;
    }
    if !inherited.is_empty() {
        return inherited.into_iter().enumerate().map(|(index, listener)| adopt(index, listener)).collect();
    }
    if config.http.is_empty() {
        return Err(ProxyError::NoListener);
    }
    config.http.iter().map(|&address| bind(address)).collect()
}

fn passed() -> Result<Vec<std::net::TcpListener>, ProxyError> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        let taken =
            passed.take_tcp_listener(index).map_err(|source| ProxyError::Inherited { index, source })?;
        listeners.extend(taken);
    }
    Ok(listeners)
}

fn adopt(index: usize, listener: std::net::TcpListener) -> Result<TcpListener, ProxyError> {
    listener
        .set_nonblocking(true)
        .and_then(|()| TcpListener::from_std(listener))
        .map_err(|source| ProxyError::Inherited { index, source })
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
