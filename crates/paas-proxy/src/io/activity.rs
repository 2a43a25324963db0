use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::sleep};

use super::Leaving;
use crate::processor;

/// What a connection is doing, told by the requests to the byte stream below them.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    busy: AtomicUsize,
    requests: AtomicUsize,
    leaving: Leaving,
    /// The client has sent something lately.
    heard: AtomicBool,
    /// The client is to take something, and does not.
    blocked: AtomicBool,
    tired: AtomicBool,
    /// It carries another protocol, which may end one way before the other.
    tunnel: AtomicBool,
    /// Told when the connection is no longer busy, and when it is tired.
    changed: Notify,
}

impl Activity {
    /// Counts a request until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Release);
        processor::count_request();
        self.hold()
    }

    /// Keeps the connection busy with a request that was counted.
    pub(crate) fn hold(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Release);
        Busy(Arc::clone(self))
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    /// The connection carries another protocol from now on.
    pub(crate) fn becomes_tunnel(&self) {
        self.tunnel.store(true, Ordering::Release);
    }

    pub(super) fn is_tunnel(&self) -> bool {
        self.tunnel.load(Ordering::Acquire)
    }

    /// Tells when the client goes away while nobody reads from it.
    pub(crate) fn leaving(&self) -> &Leaving {
        &self.leaving
    }

    pub(super) fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    pub(super) fn block(&self, blocked: bool) {
        // Most writes are taken at once.
        if self.blocked.load(Ordering::Relaxed) != blocked {
            self.blocked.store(blocked, Ordering::Release);
        }
    }

    /// The connection has been without a request for too long.
    pub(super) fn tire(&self) {
        self.tired.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Returns when the connection has been without a request for too long.
    pub(crate) async fn tired(&self) {
        self.until(|| self.tired.load(Ordering::Acquire)).await;
    }

    /// Returns when nothing is under way any more.
    pub(crate) async fn idle(&self) {
        self.until(|| !self.is_busy()).await;
    }

    /// Returns when no request is under way, everything is taken, and the client has said nothing for some time.
    pub(crate) async fn silent_for(&self, time: Duration) {
        loop {
            self.until(|| !self.is_busy()).await;
            self.heard.store(false, Ordering::Relaxed);
            sleep(time).await;
            let moved = self.heard.load(Ordering::Relaxed) || self.blocked.load(Ordering::Relaxed);
            if !moved && !self.is_busy() {
                return;
            }
        }
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if is_so() {
                return;
            }
            changed.await;
        }
    }

    /// How many requests the connection has carried.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }
}

/// A request from its header to the last byte of its answer, or an upgraded connection.
#[derive(Debug)]
pub(crate) struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.changed.notify_waiters();
        }
    }
}
