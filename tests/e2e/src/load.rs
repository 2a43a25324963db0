//! Requests without a pause while something else happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::command::{program, run};
use crate::http::Http;
use crate::https::Https;
use crate::load_report::{LoadReport, Tally};
use crate::visitor::{Visitor, Way};
use crate::wait::wait_until;

const WORKERS: u64 = 8;

/// What a load is made of.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// How many threads send, one request after the other: half of them on connections that stay open, half on a new connection
    /// for each request.
    pub workers: u64,
    /// Where a third of them speaks HTTP/2, each on a connection of its own. Without it nobody does.
    pub http2: Option<Https>,
    /// How far apart the requests of one thread are to begin. A request that has to wait for the one before it counts as slow: its
    /// time runs from when it should have begun. Without it, each follows the one before at once.
    pub every: Option<Duration>,
}

impl Default for LoadPlan {
    fn default() -> Self {
        Self { workers: WORKERS, http2: None, every: None }
    }
}

/// Load on one app.
#[derive(Debug)]
pub struct Load {
    begin: Instant,
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<Tally>>,
}

/// What the threads share with whoever started them.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) stop: AtomicBool,
    pub(crate) sent: AtomicU64,
}

impl Load {
    /// Starts to send to an app, as much as it takes.
    pub fn start(http: Http, app: &str) -> Self {
        Self::start_as(http, app, &LoadPlan::default())
    }

    /// Starts to send to an app.
    pub fn start_as(http: Http, app: &str, plan: &LoadPlan) -> Self {
        let (begin, shared) = (Instant::now(), Arc::new(Shared::default()));
        let ways: &[Way] = match plan.http2 {
            None => &[Way::Kept, Way::New],
            Some(_) => &[Way::Kept, Way::New, Way::Http2],
        };
        let workers = ways.iter().cycle().zip(0..plan.workers).map(|(&way, number)| {
            let (shared, plan, app) = (Arc::clone(&shared), plan.clone(), app.to_owned());
            thread::spawn(move || {
                // Spread over the time between two requests.
                let first = plan.every.unwrap_or_default().mul_f64(ratio(number, plan.workers));
                Visitor::new(number, http, plan.http2, &app, way).run(&shared, begin, plan.every, first)
            })
        });
        let workers = workers.collect();
        Self { begin, shared, workers }
    }

    /// Visitors have machines of their own: how long a request takes is not to hang on when this one lets them run. From now on each
    /// thread of this process runs before everything else that wants a processor; threads and processes that are started later do not.
    pub fn run_first(&self) {
        let mut chrt = program("chrt");
        chrt.args(["--all-tasks", "--reset-on-fork", "--rr", "--pid", "1"])
            .arg(std::process::id().to_string());
        run(chrt, b"").ok();
    }

    /// How long it has been going on.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// How many requests have been sent so far.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Waits until this many more requests have been sent.
    #[track_caller]
    pub fn wait_for_more(&self, more: u64) {
        let goal = self.sent() + more;
        assert!(
            wait_until(Duration::from_mins(2), || self.sent() >= goal),
            "the load stands still at {}",
            self.sent()
        );
    }

    /// Stops and tells.
    pub fn stop(mut self) -> LoadReport {
        self.shared.stop.store(true, Ordering::Relaxed);
        let tallies =
            self.workers.drain(..).map(|worker| worker.join().expect("a worker of the load")).collect();
        LoadReport::of(tallies)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

#[allow(clippy::cast_precision_loss, reason = "a few threads")]
fn ratio(number: u64, count: u64) -> f64 {
    number as f64 / count as f64
}
