//! A time in which the app refuses every connection.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use crate::told;

/// Whether the app is deaf, or is to be.
#[derive(Debug, Default)]
pub(crate) struct Deafness {
    wanted: Mutex<Option<Begun>>,
    is_on: AtomicBool,
}

/// A deafness that begins when the port is closed.
#[derive(Debug)]
pub(crate) struct Begun {
    until: String,
    told: mpsc::Sender<()>,
}

impl Deafness {
    /// Returns when the port is closed, which it stays until there is that file.
    pub(crate) fn begin(&self, until: String, address: SocketAddr) {
        let (told, closed) = mpsc::channel();
        self.is_on.store(true, Ordering::SeqCst);
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(Begun { until, told });
        // The accept loop looks when it has accepted.
        drop(TcpStream::connect(("127.0.0.1", address.port())));
        // The sender goes when nobody waits any more.
        let _ = closed.recv();
    }

    /// What the accept loop is to do, if anything.
    pub(crate) fn wanted(&self) -> Option<Begun> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether new connections are refused.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::SeqCst)
    }

    /// The port is open again.
    pub(crate) fn end(&self) {
        self.is_on.store(false, Ordering::SeqCst);
    }
}

impl Begun {
    /// Tells that the port is closed, and returns when it is to be opened.
    pub(crate) fn last(self) {
        // Whoever asked may have gone.
        let _ = self.told.send(());
        told::wait_for(&self.until);
    }
}
