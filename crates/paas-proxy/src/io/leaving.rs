use std::{
    future::pending,
    io::ErrorKind,
    os::fd::{BorrowedFd, OwnedFd},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{io::Interest, net::TcpStream, sync::Notify};

/// Tells a request of HTTP/1.1 whose body nobody reads that its client has gone: what would be read of the socket is the body. So it is
/// watched by a second handle, and not a byte is read.
#[derive(Debug, Default)]
pub(crate) struct Leaving {
    wanted: AtomicBool,
    socket: Mutex<Option<OwnedFd>>,
    there: Notify,
}

impl Leaving {
    /// Takes a second handle of the socket, if a request waits for one.
    pub(super) fn offer<'a>(&self, socket: impl FnOnce() -> Option<BorrowedFd<'a>>) {
        // Asked at every turn of the connection, and almost never wanted.
        if !self.wanted.load(Ordering::Relaxed) {
            return;
        }
        self.wanted.store(false, Ordering::Relaxed);
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) =
            socket().and_then(|socket| socket.try_clone_to_owned().ok());
        self.there.notify_one();
    }

    /// Returns when the client has closed its side; never when that cannot be seen.
    pub(crate) async fn has_left(&self) {
        self.wanted.store(true, Ordering::Relaxed);
        self.there.notified().await;
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        let watched = socket.and_then(|socket| TcpStream::from_std(socket.into()).ok());
        let Some(watched) = watched else { return pending().await };
        loop {
            let Ok(event) = watched.ready(Interest::READABLE).await else { return pending().await };
            if event.is_read_closed() {
                return;
            }
            // There are bytes, and they stay: the next event is what counts.
            let _ = watched.try_io(Interest::READABLE, || Err::<(), _>(ErrorKind::WouldBlock.into()));
        }
    }
}
