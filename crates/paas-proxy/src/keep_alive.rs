use std::{io, os::fd::AsFd, time::Duration};

use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl};

/// How long a connection is silent before the other end is asked whether it is still there.
const SILENCE: Duration = Duration::from_mins(1);
const INTERVAL: Duration = Duration::from_secs(15);
const PROBES: u32 = 4;

/// Ends a connection whose other end has vanished without a word within two minutes: tunnels may be silent for as long as they
/// like, and would stay for ever (`tcp(7)`). What a listening socket has, the connections accepted from it have too.
pub(crate) fn keep_alive(socket: impl AsFd) -> io::Result<()> {
    let socket = socket.as_fd();
    set_socket_keepalive(socket, true)?;
    set_tcp_keepidle(socket, SILENCE)?;
    set_tcp_keepintvl(socket, INTERVAL)?;
    set_tcp_keepcnt(socket, PROBES)?;
    Ok(())
}
