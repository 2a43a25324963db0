//! Requests without a pause while something else happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http::{Connection, Http, HttpError, Response};
use crate::wait::wait_until;

/// How many threads send, half of them on connections that stay open, half on a new connection for each request.
const WORKERS: u64 = 8;
/// One request of this many is a POST of [`BODY`] bytes.
const POST_EVERY: u64 = 8;
const BODY: usize = 64 * 1024;
const SHOWN_FAILURES: usize = 20;

/// Load on one app.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<Tally>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    sent: AtomicU64,
}

/// What one worker saw.
#[derive(Debug, Default)]
struct Tally {
    micros: Vec<u32>,
    failed: u64,
    failures: Vec<String>,
    versions: BTreeMap<String, u64>,
}

/// What all workers saw.
#[derive(Debug)]
pub struct LoadReport {
    /// How many requests were sent.
    pub requests: u64,
    /// How many had no whole answer of status 200 with the right body.
    pub failed: u64,
    /// The first failures of each worker.
    pub failures: Vec<String>,
    /// Which versions answered, and how often.
    pub versions: BTreeMap<String, u64>,
    /// The median time of a request.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The slowest request.
    pub max: Duration,
}

impl Load {
    /// Starts to send to an app.
    pub fn start(http: Http, app: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let workers = (0..WORKERS).map(|number| {
            let (shared, app) = (Arc::clone(&shared), app.to_owned());
            thread::spawn(move || {
                Worker { http, host: http.host(&app), keeps: number % 2 == 0, connection: None }.run(&shared)
            })
        });
        let workers = workers.collect();
        Self { shared, workers }
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

impl LoadReport {
    fn of(tallies: Vec<Tally>) -> Self {
        let mut whole = Tally::default();
        for tally in tallies {
            whole.micros.extend(tally.micros);
            whole.failed += tally.failed;
            whole.failures.extend(tally.failures);
            for (version, count) in tally.versions {
                *whole.versions.entry(version).or_default() += count;
            }
        }
        whole.micros.sort_unstable();
        let at = |percent: usize| {
            let index = (whole.micros.len() * percent / 100).min(whole.micros.len().saturating_sub(1));
            Duration::from_micros(whole.micros.get(index).copied().unwrap_or(0).into())
        };
        Self {
            requests: whole.micros.len() as u64,
            failed: whole.failed,
            p50: at(50),
            p99: at(99),
            max: at(100),
            failures: whole.failures,
            versions: whole.versions,
        }
    }

    /// Panics if one request failed, or if there were fewer than `at_least`.
    #[track_caller]
    pub fn assert_none_failed(&self, at_least: u64) {
        println!(
            "{} requests, {} failed, p50 {:?}, p99 {:?}, slowest {:?}, {:?}",
            self.requests, self.failed, self.p50, self.p99, self.max, self.versions
        );
        assert!(self.requests >= at_least, "only {} requests, wanted {at_least}", self.requests);
        assert_eq!(self.failed, 0, "failed requests:\n{}", self.failures.join("\n"));
    }
}

struct Worker {
    http: Http,
    host: String,
    keeps: bool,
    connection: Option<Connection>,
}

impl Worker {
    fn run(mut self, shared: &Shared) -> Tally {
        let mut tally = Tally::default();
        let start = Instant::now();
        let body = vec![b'p'; BODY];
        for number in 0.. {
            if shared.stop.load(Ordering::Relaxed) {
                break;
            }
            let is_post = number % POST_EVERY == 0;
            let begin = Instant::now();
            let result = if is_post { self.send("POST", "/echo", &body) } else { self.send("GET", "/", b"") };
            tally.micros.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
            shared.sent.fetch_add(1, Ordering::Relaxed);
            match judge(result, is_post.then_some(&body)) {
                Ok(Some(version)) => *tally.versions.entry(version).or_default() += 1,
                Ok(None) => {}
                Err(why) => {
                    tally.failed += 1;
                    if tally.failures.len() < SHOWN_FAILURES {
                        let kind = if self.keeps { "kept" } else { "new" };
                        let method = if is_post { "POST" } else { "GET" };
                        tally.failures.push(format!(
                            "{method} on a {kind} connection after {:?}: {why}",
                            start.elapsed()
                        ));
                    }
                    self.connection = None;
                }
            }
        }
        tally
    }

    fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Response, HttpError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.http.connect()?,
        };
        let headers: &[_] = if self.keeps { &[] } else { &[("Connection", "close")] };
        let response = connection.send(method, &self.host, path, headers, body)?;
        if self.keeps && !response.is_last() {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

/// The version that answered, or why the answer is wrong.
fn judge(result: Result<Response, HttpError>, posted: Option<&Vec<u8>>) -> Result<Option<String>, String> {
    let response = result.map_err(|error| error.to_string())?;
    if response.status != 200 {
        return Err(format!("status {}: {}", response.status, response.text()));
    }
    match posted {
        Some(body) if response.body == *body => Ok(None),
        Some(_) => Err(format!("{} bytes came back, not what was sent", response.body.len())),
        None => match response.text().strip_prefix("version ") {
            Some(version) => Ok(Some(version.trim_end().to_owned())),
            None => Err(format!("unexpected body {:?}", response.text())),
        },
    }
}
