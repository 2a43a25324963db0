//! On which processor a worker runs.
//!
//! Where connections are kept, two workers that share a processor for a while, beside another that idles, make the slowest hundredth of answers
//! twice as slow; so each keeps to one. Where each request comes on a connection of its own, the kernel does better by moving
//! workers to where connections arrive. Which of the two it is, is counted (docs/decisions/0006-front-door-speed.md).

use std::cell::RefCell;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// After how many requests it is looked at again.
const LOOK: u32 = 4096;
/// So many requests on a connection, or more, are kept ones.
const KEPT: u32 = 8;

thread_local! {
    static WORKER: RefCell<Option<Worker>> = const { RefCell::new(None) };
}

/// The worker of this thread.
struct Worker {
    own: CpuSet,
    all: CpuSet,
    keeps: bool,
    requests: u32,
    connections: u32,
}

/// Says that this thread is the worker of this number, of so many. It is never kept to a processor where there are more or less of them than
/// workers.
pub(crate) fn is_worker(number: usize, count: usize) {
    let worker = sched_getaffinity(None).ok().and_then(|all| {
        let processors: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&processor| all.is_set(processor)).collect();
        let mut own = CpuSet::new();
        own.set(*processors.get(number)?);
        let fits = count > 1 && processors.len() == count;
        fits.then_some(Worker { own, all, keeps: false, requests: 0, connections: 0 })
    });
    WORKER.set(worker);
}

/// A connection begins.
pub(crate) fn count_connection() {
    with_worker(|worker| worker.connections += 1);
}

/// A request begins.
pub(crate) fn count_request() {
    with_worker(|worker| {
        worker.requests += 1;
        if worker.requests >= LOOK {
            worker.look();
        }
    });
}

fn with_worker(change: impl FnOnce(&mut Worker)) {
    WORKER.with_borrow_mut(|worker| worker.as_mut().map(change));
}

impl Worker {
    fn look(&mut self) {
        let keeps = self.requests / KEPT >= self.connections;
        (self.requests, self.connections) = (0, 0);
        if keeps != self.keeps {
            self.keeps = keeps;
            // A service manager may forbid it. Then the kernel decides, as ever.
            if let Err(error) = sched_setaffinity(None, if keeps { &self.own } else { &self.all }) {
                tracing::debug!(error = %error, "a worker is not kept to a processor");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZero, thread};

    use super::*;

    /// How many processors this thread may run on.
    fn allowed() -> u32 {
        sched_getaffinity(None).unwrap().count()
    }

    fn serve(connections: u32, requests: u32) {
        (0..connections).for_each(|_| count_connection());
        (0..requests).for_each(|_| count_request());
    }

    #[test]
    fn a_worker_keeps_to_its_processor_while_connections_are_kept() {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        let all = allowed();
        is_worker(count - 1, count);
        serve(LOOK / KEPT, LOOK - 1);
        assert_eq!(allowed(), all);
        count_request();
        let kept = if count > 1 && usize::try_from(all).unwrap() == count { 1 } else { all };
        assert_eq!(allowed(), kept);
        serve(LOOK / KEPT + 1, LOOK);
        assert_eq!(allowed(), all);
    }

    #[test]
    fn without_a_processor_for_each_it_stays_with_the_kernel() {
        let all = allowed();
        is_worker(0, usize::try_from(all).unwrap() + 1);
        serve(0, 2 * LOOK);
        assert_eq!(allowed(), all);
    }
}
