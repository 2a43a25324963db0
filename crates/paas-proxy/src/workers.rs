use std::{
    io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// The threads that carry requests, one for each processor, each with a runtime of its own.
///
/// A connection stays on its thread, and so do its requests and their connections to targets: no request wakes another thread
/// (docs/decisions/0006-front-door-speed.md).
#[derive(Debug)]
pub(crate) struct Workers {
    turns: Arc<Turns>,
    stop: CancellationToken,
}

/// Whose turn it is to take a connection.
#[derive(Debug)]
pub(crate) struct Turns {
    handles: Vec<Handle>,
    next: AtomicUsize,
}

impl Workers {
    /// Starts them. They end, with whatever they still have, when this is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let handles = (0..count).map(|place| worker(place, stop.clone())).collect::<io::Result<_>>()?;
        Ok(Self { turns: Arc::new(Turns { handles, next: AtomicUsize::new(0) }), stop })
    }

    pub(crate) fn turns(&self) -> &Arc<Turns> {
        &self.turns
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Turns {
    /// The runtime that takes the next connection.
    pub(crate) fn next(&self) -> Option<&Handle> {
        self.handles.get(self.next.fetch_add(1, Ordering::Relaxed) % self.handles.len())
    }
}

fn worker(place: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name(format!("paas-proxy-{place}"))
        .spawn(move || runtime.block_on(stop.cancelled_owned()))?;
    Ok(handle)
}
