use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::upstream::Connection;

/// Idle connections one target keeps at most; more are closed. As many as some clients' HTTP/2 streams need at one time: one
/// that is closed too soon costs the next request a handshake.
const MAX_IDLE: usize = 1024;

/// The idle connections of one target, the most recently used last.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Idle>);

#[derive(Debug, Default)]
struct Idle {
    connections: Vec<(Connection, Instant)>,
    closed: bool,
}

impl Pool {
    /// The most recently used connection that is still good.
    pub(crate) fn take(&self, max_idle: Duration) -> Option<Connection> {
        let mut idle = self.lock();
        while let Some((connection, since)) = idle.connections.pop() {
            if since.elapsed() >= max_idle {
                // The ones below are older still.
                idle.connections = Vec::new();
                return None;
            }
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    pub(crate) fn put(&self, connection: Connection) {
        let mut idle = self.lock();
        if !idle.closed && idle.connections.len() < MAX_IDLE {
            idle.connections.push((connection, Instant::now()));
        }
    }

    /// Closes what has been idle too long.
    pub(crate) fn sweep(&self, max_idle: Duration) {
        let mut idle = self.lock();
        idle.connections.retain(|(connection, since)| since.elapsed() < max_idle && connection.is_usable());
        if idle.connections.is_empty() {
            idle.connections = Vec::new();
        }
    }

    /// Closes everything, and what comes back later.
    pub(crate) fn close(&self) {
        *self.lock() = Idle { connections: Vec::new(), closed: true };
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
