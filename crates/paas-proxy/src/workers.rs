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

use crate::{io::SpareTimers, metrics::own_shard, processor};

/// How many connections more than another a worker may have before new ones go there. Connections differ in what they carry, so
/// little is gained by dealing them out evenly, and much by leaving them where they were accepted.
const SLACK: usize = 8;

/// The threads that carry requests, one for each processor, each with a runtime of its own.
///
/// A connection stays on its thread, and so do its requests and their connections to targets: no request wakes another thread
/// (docs/decisions/0006-front-door-speed.md).
#[derive(Debug)]
pub(crate) struct Workers {
    crew: Arc<Crew>,
    stop: CancellationToken,
}

/// The workers as they see each other.
#[derive(Debug)]
pub(crate) struct Crew(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    desk: Arc<Desk>,
}

/// What the connections of one worker share.
#[derive(Debug, Default)]
struct Desk {
    connections: AtomicUsize,
    timers: Arc<SpareTimers>,
}

/// Counts a connection on its worker until it ends.
#[derive(Debug)]
pub(crate) struct Place(Arc<Desk>);

impl Workers {
    /// Starts them. They end, with whatever they still have, when this is dropped.
    pub(crate) fn start() -> io::Result<Self> {
        let stop = CancellationToken::new();
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let workers =
            (0..count).map(|number| worker(number, count, stop.clone())).collect::<io::Result<_>>()?;
        Ok(Self { crew: Arc::new(Crew(workers)), stop })
    }

    pub(crate) fn crew(&self) -> &Arc<Crew> {
        &self.crew
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Crew {
    /// The runtimes, by the workers' numbers.
    pub(crate) fn runtimes(&self) -> impl Iterator<Item = &Handle> {
        self.0.iter().map(|worker| &worker.runtime)
    }

    /// Who takes a connection that worker `own` has accepted: itself, unless another has much less to do. `None` for itself.
    pub(crate) fn place(&self, own: usize) -> (Place, Option<&Handle>) {
        let count = |worker: &Worker| worker.desk.connections.load(Ordering::Relaxed);
        let mine = self.0.get(own);
        let idlest = self.0.iter().min_by_key(|worker| count(worker));
        match (mine, idlest) {
            (Some(mine), Some(idlest)) if count(mine) > count(idlest) + SLACK => {
                (Place::new(&idlest.desk), Some(&idlest.runtime))
            }
            (Some(mine), _) => (Place::new(&mine.desk), None),
            (None, _) => (Place::new(&Arc::default()), None),
        }
    }
}

impl Place {
    fn new(desk: &Arc<Desk>) -> Self {
        desk.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(desk))
    }

    /// The worker's timers.
    pub(crate) fn timers(&self) -> Arc<SpareTimers> {
        Arc::clone(&self.0.timers)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn worker(number: usize, count: usize, stop: CancellationToken) -> io::Result<Worker> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new().name(format!("paas-proxy-{number}")).spawn(move || {
        own_shard(number);
        processor::is_worker(number, count);
        runtime.block_on(stop.cancelled_owned());
    })?;
    Ok(Worker { runtime: handle, desk: Arc::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_stays_where_it_was_accepted_until_another_worker_is_much_idler() {
        let workers = Workers::start().unwrap();
        let crew = workers.crew();
        let mut places = Vec::new();
        for _ in 0..100 {
            let (place, elsewhere) = crew.place(0);
            assert_eq!(elsewhere.is_some(), crew.0.len() > 1 && !Arc::ptr_eq(&place.0, &crew.0[0].desk));
            places.push(place);
        }
        let counts: Vec<usize> =
            crew.0.iter().map(|worker| worker.desk.connections.load(Ordering::Relaxed)).collect();
        assert_eq!(counts.iter().sum::<usize>(), 100);
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= SLACK + 1, "{counts:?}");
        drop(places);
        assert!(crew.0.iter().all(|worker| worker.desk.connections.load(Ordering::Relaxed) == 0));
    }
}
