use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use time::OffsetDateTime;

use super::RequestCounters;
use crate::api::{ListenerMetrics, ListenerProtocol, UpstreamMetrics};

/// What is counted of the process.
#[derive(Debug)]
pub(crate) struct ProcessCounters {
    pub(crate) started_at: OffsetDateTime,
    /// Requests that lead to no service.
    pub(crate) unknown: RequestCounters,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) connects: AtomicU64,
    pub(crate) unreachable: AtomicU64,
    pub(crate) retries: AtomicU64,
    listeners: Mutex<Vec<Arc<ListenerCounters>>>,
}

impl ProcessCounters {
    pub(crate) fn new() -> Self {
        Self {
            started_at: OffsetDateTime::now_utc(),
            unknown: RequestCounters::default(),
            handshakes_failed: AtomicU64::new(0),
            connects: AtomicU64::new(0),
            unreachable: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            listeners: Mutex::default(),
        }
    }

    /// The counters of a listener; the same for every worker that accepts on it.
    pub(crate) fn listener(&self, address: SocketAddr, protocol: ListenerProtocol) -> Arc<ListenerCounters> {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |one: &&Arc<ListenerCounters>| (one.address, one.protocol) == (address, protocol);
        if let Some(known) = listeners.iter().find(known) {
            return Arc::clone(known);
        }
        let zero = || AtomicU64::new(0);
        let listener =
            Arc::new(ListenerCounters { address, protocol, open: zero(), accepted: zero(), refused: zero() });
        listeners.push(Arc::clone(&listener));
        listener
    }

    pub(crate) fn listeners(&self) -> Vec<ListenerMetrics> {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().map(|listener| listener.read()).collect()
    }

    pub(crate) fn upstream(&self) -> UpstreamMetrics {
        UpstreamMetrics {
            connects: self.connects.load(Relaxed),
            unreachable: self.unreachable.load(Relaxed),
            retries: self.retries.load(Relaxed),
        }
    }
}

/// What is counted of one listening socket.
#[derive(Debug)]
pub(crate) struct ListenerCounters {
    address: SocketAddr,
    protocol: ListenerProtocol,
    open: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
}

impl ListenerCounters {
    /// Counts a connection, and as open until the guard is dropped.
    pub(crate) fn accepted(self: &Arc<Self>) -> OpenConnection {
        self.accepted.fetch_add(1, Relaxed);
        self.open.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(self))
    }

    /// Counts a connection that is not served.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    fn read(&self) -> ListenerMetrics {
        ListenerMetrics {
            address: self.address,
            protocol: self.protocol,
            open: self.open.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }
}

/// A client's connection that is open.
#[derive(Debug)]
pub(crate) struct OpenConnection(Arc<ListenerCounters>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}
