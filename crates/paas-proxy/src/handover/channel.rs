use std::{io, os::unix::net};

use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

use super::sockets::{Socket, receive, send};

/// More would be no message of ours: all challenges that are kept fit.
const MAX_MESSAGE: u64 = 16 * 1024 * 1024;

/// One end of the socket pair between a proxy and its successor.
#[derive(Debug)]
pub(super) struct Channel(BufReader<UnixStream>);

impl Channel {
    pub(super) fn new(stream: net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(BufReader::new(UnixStream::from_std(stream)?)))
    }

    pub(super) async fn send_sockets(&self, sockets: &[Socket]) -> io::Result<()> {
        let stream = self.0.get_ref();
        stream.async_io(tokio::io::Interest::WRITABLE, || send(stream, sockets)).await
    }

    /// Before any message: what is buffered has lost its sockets.
    pub(super) async fn receive_sockets(&self) -> io::Result<Vec<std::os::fd::OwnedFd>> {
        let stream = self.0.get_ref();
        stream.async_io(tokio::io::Interest::READABLE, || receive(stream)).await
    }

    pub(super) async fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.0.get_mut().write_all(&line).await
    }

    /// The next message; `UnexpectedEof` when the other process has ended.
    pub(super) async fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        let mut line = Vec::new();
        (&mut self.0).take(MAX_MESSAGE).read_until(b'\n', &mut line).await?;
        if line.pop() != Some(b'\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&line)?)
    }

    /// Returns when the other process has closed its end, or has ended.
    pub(super) async fn closed(&mut self) {
        // Whatever else it says is of no interest.
        while self.0.read_u8().await.is_ok() {}
    }
}
