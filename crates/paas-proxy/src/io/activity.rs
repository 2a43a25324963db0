use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What a connection is doing, told by the requests to the byte stream below them.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    busy: AtomicUsize,
    requests: AtomicUsize,
}

impl Activity {
    /// Counts a request until the guard is dropped.
    pub(crate) fn begin(self: &Arc<Self>) -> Busy {
        self.requests.fetch_add(1, Ordering::Release);
        self.busy.fetch_add(1, Ordering::Release);
        Busy(Arc::clone(self))
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
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
        self.0.busy.fetch_sub(1, Ordering::Release);
    }
}
