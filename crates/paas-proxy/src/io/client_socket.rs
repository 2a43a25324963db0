use std::{
    io::{self, IoSlice, Write},
    mem::MaybeUninit,
    net,
    os::fd::{AsFd, BorrowedFd},
    pin::Pin,
    task::{Context, Poll},
};

use rustix::net::{RecvFlags, recv};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A client's socket, which the runtime watches only once there is something to wait for. A connection of one request may never come to
/// that: its request is there when it is accepted, and the answer finds room. So it is spared two of ten system calls.
#[derive(Debug)]
pub(crate) struct ClientSocket(State);

#[derive(Debug)]
enum State {
    /// It does not block. So often it may be tried: the runtime, which sees to it that a task leaves something to the others, does not know
    /// of it.
    Unwatched(net::TcpStream, u8),
    Watched(TcpStream),
    /// It could not be watched.
    Gone,
}

/// What is read at once of a client that may send a request: most requests.
pub(crate) const FIRST: usize = 4096;
/// A request and its answer, and a little more.
const TRIES: u8 = 4;

impl ClientSocket {
    /// Of a socket that does not block.
    pub(crate) fn new(socket: net::TcpStream) -> Self {
        Self(State::Unwatched(socket, TRIES))
    }

    /// Tries without the runtime, as long as that has not been asked.
    fn unwatched<T>(
        &mut self,
        attempt: impl FnOnce(&net::TcpStream) -> io::Result<T>,
    ) -> Option<io::Result<T>> {
        let State::Unwatched(socket, tries) = &mut self.0 else { return None };
        *tries = tries.checked_sub(1)?;
        match attempt(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            outcome => Some(outcome),
        }
    }

    /// Lets the runtime watch it.
    fn watched(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if let State::Unwatched(..) = &self.0
            && let State::Unwatched(socket, _) = std::mem::replace(&mut self.0, State::Gone)
        {
            self.0 = State::Watched(TcpStream::from_std(socket)?);
        }
        match &mut self.0 {
            State::Watched(stream) => Ok(Pin::new(stream)),
            State::Unwatched(..) | State::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// The socket itself.
    pub(crate) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.0 {
            State::Unwatched(socket, _) => Some(socket.as_fd()),
            State::Watched(stream) => Some(stream.as_fd()),
            State::Gone => None,
        }
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining().min(FIRST);
        let read = self.unwatched(|socket| {
            let mut bytes = [MaybeUninit::uninit(); FIRST];
            let ((read, _), _) = recv(socket, bytes.get_mut(..room).unwrap_or_default(), RecvFlags::empty())?;
            buf.put_slice(read);
            Ok(())
        });
        match read {
            Some(outcome) => Poll::Ready(outcome),
            None => self.watched()?.poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.unwatched(|mut socket| socket.write(buf)) {
            Some(outcome) => Poll::Ready(outcome),
            None => self.watched()?.poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.unwatched(|mut socket| socket.write_vectored(bufs)) {
            Some(outcome) => Poll::Ready(outcome),
            None => self.watched()?.poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.unwatched(|socket| socket.shutdown(net::Shutdown::Write)) {
            Some(outcome) => Poll::Ready(outcome),
            None => self.watched()?.poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn it_is_watched_from_the_first_wait_on_and_loses_nothing() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        let mut server = ClientSocket::new(socket);
        client.write_all(&[1; 5000]).await.unwrap();
        let mut bytes = vec![0; 5000];
        server.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes, [1; 5000]);
        server.write_all(b"answer").await.unwrap();
        assert!(matches!(server.0, State::Unwatched(..)), "nobody has waited");
        let next = async {
            let mut byte = [0];
            server.read_exact(&mut byte).await.unwrap();
            server
        };
        let said = async {
            let mut answer = [0; 6];
            client.read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"answer");
            client.write_all(b"x").await.unwrap();
        };
        let (mut server, ()) = tokio::join!(next, said);
        assert!(matches!(server.0, State::Watched(_)));
        server.shutdown().await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_client_that_never_stops_sending_is_watched_before_long() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        let mut server = ClientSocket::new(socket);
        client.write_all(&[1; 100]).await.unwrap();
        for _ in 0..100 {
            server.read_u8().await.unwrap();
        }
        assert!(matches!(server.0, State::Watched(_)));
    }

    #[tokio::test]
    async fn what_finds_no_room_is_waited_with() {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        let mut server = ClientSocket::new(socket);
        let length = 64 * 1024 * 1024;
        let sent = async {
            server.write_all(&vec![7; length]).await.unwrap();
            drop(server);
        };
        let mut taken = Vec::new();
        tokio::join!(sent, async { client.read_to_end(&mut taken).await.unwrap() });
        assert_eq!(taken.len(), length);
    }
}
