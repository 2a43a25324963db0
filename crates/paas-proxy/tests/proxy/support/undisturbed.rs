//! Time as it can be measured on a machine that may stand still at any moment.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::pin,
    time::{Duration, Instant},
};

use futures_util::FutureExt;

use super::DEADLINE;

/// How long the proxy gives a kept connection to what may be sent only once.
pub const FRESH: Duration = Duration::from_secs(1);
/// How long after a shutdown began the proxy takes one more request from a connection.
pub const LAST_REQUESTS: Duration = Duration::from_millis(250);

/// How often an attempt is made at most.
const ATTEMPTS: usize = 4;

/// Measures what of an attempt must not take long.
#[derive(Default)]
pub struct Watch {
    since: Cell<Option<Instant>>,
    longest: Cell<Duration>,
}

impl Watch {
    /// Something begins that must not take long; what was measured before has ended.
    pub fn start(&self) {
        self.stop();
        self.since.set(Some(Instant::now()));
    }

    pub fn stop(&self) {
        if let Some(since) = self.since.take() {
            self.longest.set(self.longest.get().max(since.elapsed()));
        }
    }
}

/// For what a pause at the wrong moment makes another test: a limit that nothing is to hit is hit. An attempt
/// that failed is made again if something its watch measured took as long as that `limit`; any other failure is
/// one, and so is the last.
#[allow(clippy::print_stderr, reason = "whoever reads a log sees which tests needed it")]
pub async fn undisturbed<T>(limit: Duration, attempt: impl AsyncFn(&Watch) -> T) -> T {
    for _ in 1..ATTEMPTS {
        let watch = Watch::default();
        match AssertUnwindSafe(attempt(&watch)).catch_unwind().await {
            Ok(outcome) => return outcome,
            Err(failure) => {
                watch.stop();
                let longest = watch.longest.get();
                // What takes as long as anything may hangs, and no pause explains that.
                if !(limit..DEADLINE).contains(&longest) {
                    resume_unwind(failure);
                }
                eprintln!("made again: what may not take {limit:?} took {longest:?}");
            }
        }
    }
    attempt(&Watch::default()).await
}

/// How long a step takes. Time in which this process did not run counts only as a short pause.
pub async fn time_of(step: impl Future<Output = ()>) -> Duration {
    const TICK: Duration = Duration::from_millis(10);
    let mut step = pin!(step);
    let mut took = Duration::ZERO;
    loop {
        let begin = Instant::now();
        let is_over = tokio::time::timeout(TICK, &mut step).await.is_ok();
        took += begin.elapsed().min(3 * TICK);
        if is_over {
            return took;
        }
    }
}
