use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::runtime::{Handle, Id};

use crate::http1::{Certainty, Connection};

/// Idle connections one target keeps on each worker at most; more are closed. As many as some clients' HTTP/2 streams need at one time: one
/// that is closed too soon costs the next request a handshake.
const MAX_IDLE: usize = 512;

/// The idle connections of one target, by the runtime that opened them: only there does their use wake no other thread.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Idle>);

#[derive(Debug, Default)]
struct Idle {
    /// The most recently used last.
    connections: HashMap<Id, Vec<(Connection, Instant)>>,
    closed: bool,
}

impl Pool {
    /// The most recently used connection of this runtime that is still good, as far as that must be certain.
    pub(crate) fn take(&self, max_idle: Duration, certainty: Certainty) -> Option<Connection> {
        let runtime = Handle::current().id();
        // Each is looked at while the lock is free: others need not wait for the kernel's answer.
        while let Some((connection, since)) = self.pop(runtime) {
            if since.elapsed() >= max_idle {
                // The ones below are older still.
                let _older = self.lock().connections.remove(&runtime);
                return None;
            }
            if connection.is_quiet(certainty) {
                return Some(connection);
            }
        }
        None
    }

    fn pop(&self, runtime: Id) -> Option<(Connection, Instant)> {
        self.lock().connections.get_mut(&runtime)?.pop()
    }

    /// Keeps a connection that this runtime has used.
    pub(crate) fn put(&self, connection: Connection) {
        let mut idle = self.lock();
        if idle.closed {
            return;
        }
        let connections = idle.connections.entry(Handle::current().id()).or_default();
        if connections.len() < MAX_IDLE {
            connections.push((connection, Instant::now()));
        }
    }

    /// Closes what has been idle too long.
    pub(crate) fn sweep(&self, max_idle: Duration) {
        self.lock().connections.retain(|_, connections| {
            connections.retain(|(connection, since)| {
                since.elapsed() < max_idle && connection.is_quiet(Certainty::Heard)
            });
            !connections.is_empty()
        });
    }

    /// Closes everything, and what comes back later.
    pub(crate) fn close(&self) {
        *self.lock() = Idle { connections: HashMap::new(), closed: true };
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
