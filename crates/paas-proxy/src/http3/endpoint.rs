use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use quinn::{
    Endpoint, EndpointConfig, IdleTimeout, ServerConfig, TokioRuntime, TransportConfig, VarInt,
    crypto::rustls::QuicServerConfig,
};

use crate::{config::Limits, error::ProxyError};

/// Requests of one client at one time, as with HTTP/2.
const MAX_STREAMS: u32 = 200;
/// The three every client opens (RFC 9114, 6.2), and some for extensions.
const MAX_UNI_STREAMS: u32 = 8;

/// What a client may have sent that has not been passed on, by request and in all; and what we may have sent that it has not
/// confirmed.
const STREAM_WINDOW: u32 = 256 * 1024;
const WINDOW: u32 = 1024 * 1024;
const SEND_WINDOW: u64 = 1024 * 1024;

/// Longer ones would be idle connections that we watch ourselves.
const MAX_IDLE: Duration = Duration::from_mins(2);

/// The settings of every QUIC connection.
pub(crate) fn settings(tls: &rustls::ServerConfig, limits: &Limits) -> Result<ServerConfig, ProxyError> {
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let tls = QuicServerConfig::try_from(tls).map_err(|_| ProxyError::Quic)?;
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(MAX_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(MAX_UNI_STREAMS))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW))
        .receive_window(VarInt::from_u32(WINDOW))
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(IdleTimeout::try_from(limits.stall_timeout.min(MAX_IDLE)).ok());
    let mut config = ServerConfig::with_crypto(Arc::new(tls));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// The sockets that exist already, else a new one at each address. One that cannot be made is said and left out: HTTP/3 is
/// never the only way in.
pub(crate) fn sockets(existing: Vec<UdpSocket>, addresses: &[SocketAddr]) -> Vec<UdpSocket> {
    if !existing.is_empty() {
        return existing;
    }
    let bind = |&address: &SocketAddr| match UdpSocket::bind(address) {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::error!(
                %address, %error,
                "HTTP/3 is not served: its UDP socket could not be opened; is another server using the port (see `ss -lunp`), or is paas-proxy-http3.socket not enabled?"
            );
            None
        }
    };
    addresses.iter().filter_map(bind).collect()
}

/// An endpoint on a socket.
pub(super) fn endpoint(socket: UdpSocket, config: ServerConfig) -> io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), Some(config), socket, Arc::new(TokioRuntime))
}
