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

/// A request that may be sent only once is given no connection that has been idle for longer: its target may be about to close it, and
/// the two would cross on their way. Shorter than what apps use (gunicorn 2 s, Node and Apache 5 s); a new connection costs little.
const FRESH: Duration = Duration::from_secs(1);

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
        let max_idle = match certainty {
            Certainty::Heard => max_idle,
            Certainty::Asked => max_idle.min(FRESH),
        };
        // Each is looked at while the lock is free: others need not wait for the kernel's answer.
        while let Some(connection) = self.pop(runtime, max_idle) {
            if connection.is_quiet(certainty) {
                return Some(connection);
            }
        }
        None
    }

    /// The most recently used one, unless that is too long ago; then it is for [`Pool::sweep`].
    fn pop(&self, runtime: Id, max_idle: Duration) -> Option<Connection> {
        let mut idle = self.lock();
        let connections = idle.connections.get_mut(&runtime)?;
        connections.pop_if(|(_, since)| since.elapsed() < max_idle).map(|(connection, _)| connection)
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
