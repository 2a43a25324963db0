use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::AccessLogs;

/// The access log of one service. It ends with the service: a request that ends later leaves no file behind.
#[derive(Debug)]
pub(crate) struct ServiceLog {
    name: String,
    gone: AtomicBool,
    logs: Arc<AccessLogs>,
}

impl ServiceLog {
    pub(crate) fn new(service: &str, logs: Arc<AccessLogs>) -> Arc<Self> {
        Arc::new(Self { name: service.to_owned(), gone: AtomicBool::new(false), logs })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Hands a line over to be written.
    pub(super) fn write(self: &Arc<Self>, line: Vec<u8>) {
        if !self.is_gone() {
            self.logs.push(Arc::clone(self), line);
        }
    }

    /// Removes the files, and writes no line any more.
    pub(crate) fn remove(self: &Arc<Self>) {
        self.gone.store(true, Ordering::Release);
        self.logs.remove(&self.name);
    }
}
