//! One thread of a load.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::http::{Connection, Http, HttpError, Response};
use crate::http2::Http2;
use crate::https::Https;
use crate::load::Shared;
use crate::load_report::{Sample, Tally};

/// One request of this many is a POST of [`BODY`] bytes.
const POST_EVERY: u64 = 8;
const BODY: usize = 64 * 1024;
const SHOWN_FAILURES: usize = 20;

/// How a visitor sends his requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// HTTP/1.1 on a connection that stays open.
    Kept,
    /// HTTP/1.1 on a new connection for each.
    New,
    /// HTTP/2 over TLS on a connection that stays open.
    Http2,
}

/// Sends one request after the other.
pub(crate) struct Visitor {
    http: Http,
    https: Option<Https>,
    host: String,
    way: Way,
    /// How many of its requests are sent before the first POST: a load's visitors do not all post at once.
    before_post: u64,
    connection: Option<Open>,
}

enum Open {
    Http1(Connection),
    Http2(Http2),
}

impl Visitor {
    /// The load's visitor of this number.
    pub(crate) fn new(number: u64, http: Http, https: Option<Https>, app: &str, way: Way) -> Self {
        Self { http, https, host: http.host(app), way, before_post: number % POST_EVERY, connection: None }
    }

    /// Until the load stops. The first request begins `first` after the load, each other one `every` after the one before.
    pub(crate) fn run(
        mut self,
        shared: &Shared,
        start: Instant,
        every: Option<Duration>,
        first: Duration,
    ) -> Tally {
        let mut tally = Tally::default();
        let body = vec![b'p'; BODY];
        let mut due = start + first;
        for number in 0.. {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if shared.stop.load(Ordering::Relaxed) {
                break;
            }
            let begin = if every.is_some() { due } else { Instant::now() };
            let is_post = number % POST_EVERY == self.before_post;
            let result = if is_post { self.send("POST", "/echo", &body) } else { self.send("GET", "/", b"") };
            let end = Instant::now();
            tally.samples.push(Sample { begin: begin - start, took: end - begin });
            shared.sent.fetch_add(1, Ordering::Relaxed);
            if let Ok(release) = result.as_ref().map(|answer| answer.header("x-release"))
                && let Some(release) = release
                && !tally.releases.contains_key(release)
            {
                tally.releases.insert(release.to_owned(), end - start);
            }
            match judge(result, is_post.then_some(&body)) {
                Ok(Some(version)) => *tally.versions.entry(version).or_default() += 1,
                Ok(None) => {}
                Err(why) => {
                    tally.failed += 1;
                    if tally.failures.len() < SHOWN_FAILURES {
                        let (method, way) = (if is_post { "POST" } else { "GET" }, self.way);
                        tally.failures.push(format!("{method} ({way:?}) after {:?}: {why}", end - start));
                    }
                    self.connection = None;
                }
            }
            due += every.unwrap_or_default();
        }
        tally
    }

    fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Response, HttpError> {
        loop {
            let mut open = match self.connection.take() {
                Some(Open::Http2(connection)) if !connection.is_open() => continue,
                Some(open) => open,
                None => self.connect()?,
            };
            let answer = match &mut open {
                Open::Http1(connection) => {
                    let headers: &[_] = if self.way == Way::Kept { &[] } else { &[("Connection", "close")] };
                    Some(connection.send(method, &self.host, path, headers, body)?)
                }
                Open::Http2(connection) => connection.send(method, path, body)?,
            };
            // Without one, nothing was sent: the connection was told to go.
            let Some(answer) = answer else { continue };
            if self.way != Way::New && !answer.is_last() {
                self.connection = Some(open);
            }
            return Ok(answer);
        }
    }

    fn connect(&self) -> Result<Open, HttpError> {
        match (self.way, &self.https) {
            (Way::Http2, Some(https)) => {
                let host = self.host.rsplit_once(':').map_or(self.host.as_str(), |(host, _)| host);
                Http2::connect(https, host).map(Open::Http2)
            }
            _ => self.http.connect().map(Open::Http1),
        }
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
