use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

/// A loopback address that nobody listens on at the moment.
pub(crate) fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
