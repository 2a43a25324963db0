use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::BytesMut;
use rustix::net::{RecvFlags, recv};
use tokio::net::{TcpSocket, TcpStream};
use tokio_util::io::poll_read_buf;

use super::error::Http1Error;
use crate::{connect_error::ConnectError, io::Rewind, keep_alive::keep_alive};

/// How sure a kept connection must be that its target has not closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// As far as the runtime has heard: enough for a request that may be sent twice.
    Heard,
    /// The kernel is asked, which is a system call: for a request that may be sent only once.
    Asked,
}

/// One HTTP/1.1 connection to a target, between or during requests.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(super) stream: TcpStream,
    /// Read and not used yet.
    pub(super) buffer: BytesMut,
}

fn socket(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Without it small writes wait for the other side's delayed acknowledgement.
    socket.set_nodelay(true)?;
    Ok(socket)
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, timeout: Duration) -> Result<Self, ConnectError> {
        let socket = socket(address).map_err(ConnectError::Refused)?;
        let stream = tokio::time::timeout(timeout, socket.connect(address))
            .await
            .map_err(|_| ConnectError::TimedOut(timeout))?
            .map_err(ConnectError::Refused)?;
        Ok(Self { stream, buffer: BytesMut::new() })
    }

    /// True when the target has neither closed the idle connection nor sent anything unasked.
    pub(crate) fn is_quiet(&self, certainty: Certainty) -> bool {
        if !self.buffer.is_empty() {
            return false;
        }
        match certainty {
            Certainty::Heard => {
                let mut nobody = Context::from_waker(Waker::noop());
                self.stream.poll_read_ready(&mut nobody).is_pending() || self.is_quiet(Certainty::Asked)
            }
            Certainty::Asked => {
                let mut byte = [0u8; 1];
                let peeked = recv(&self.stream, &mut byte[..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
                matches!(peeked, Err(rustix::io::Errno::AGAIN))
            }
        }
    }

    /// The connection after a 101: what the target has said since, then its bytes as they come.
    pub(super) fn into_tunnel(self) -> Rewind<TcpStream> {
        // Without it the tunnel works as well, until the target's machine vanishes.
        let _ = keep_alive(&self.stream);
        Rewind::new(self.buffer.freeze(), self.stream)
    }

    /// Reads at most about `wish` bytes more. Says how many came; 0 is the end.
    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>, wish: usize) -> Poll<Result<usize, Http1Error>> {
        self.buffer.reserve(wish);
        poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer).map_err(Http1Error::Broken)
    }
}
