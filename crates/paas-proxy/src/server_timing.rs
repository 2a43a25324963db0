use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// When a target was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    asked: Instant,
}

impl Timing {
    pub(crate) fn begin() -> Self {
        Self { asked: Instant::now() }
    }

    /// Tells how long the request was with us and how long with the app, until the header of its answer, in milliseconds
    /// (Server Timing, W3C). `begin` is when the request's header was read. The app's own values stay.
    pub(crate) fn tell(self, begin: Instant, headers: &mut HeaderMap) {
        let millis = |from: Instant, to: Instant| to.saturating_duration_since(from).as_secs_f64() * 1_000.0;
        let (ours, app) = (millis(begin, self.asked), millis(self.asked, Instant::now()));
        if let Ok(value) = HeaderValue::from_str(&format!("paas;dur={ours:.2}, app;dur={app:.2}")) {
            headers.append(SERVER_TIMING, value);
        }
    }
}
