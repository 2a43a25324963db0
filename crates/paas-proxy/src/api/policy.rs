use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::PasswordHash;

/// How the requests of a service are treated. Everything that costs something is off by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, written by its name")]
pub struct RequestPolicy {
    /// The largest request body, in bytes; more is refused with 413 before it is read. Default 1 GiB.
    pub max_body: u64,
    /// Milliseconds that a body may bring no byte while it is waited for; then 408. `None`: the proxy's own (60 s). How
    /// long the whole of it takes is not limited.
    pub request_timeout_ms: Option<u64>,
    /// Milliseconds from the end of a request to the header of its answer; then 504. `None`: the proxy's own (60 s). How long
    /// the answer then takes is not limited.
    pub response_timeout_ms: Option<u64>,
    /// Whether a body is read whole before a target is asked: slow uploads then occupy no worker of the app.
    pub buffer_requests: bool,
    /// The users that may come, with their passwords' hashes. Empty: everybody may. The app does not see their passwords.
    pub basic_auth: BTreeMap<String, PasswordHash>,
    /// Where visitors may come from; others get 403. Empty: from everywhere.
    pub allow: Vec<IpNet>,
    /// Proxies before us (a CDN) whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether answers that are worth it are compressed (zstd, br, gzip) when the app has not done it.
    pub compression: bool,
    /// Whether a visitor stays with one target, by a cookie.
    pub sticky: bool,
    /// Whether answers carry `Server-Timing`.
    pub server_timing: bool,
    /// Whether, and how, requests are written down.
    pub access_log: AccessLog,
    /// HTML for visitors during maintenance in place of our own page.
    pub maintenance_page: Option<String>,
    /// HTML in place of our own pages, by status: `404`, `413`, `502`, `503`, `504`, ….
    pub error_pages: BTreeMap<u16, String>,
    /// Bounds for requests that wait while the service is held.
    pub hold: HoldPolicy,
}

impl Default for RequestPolicy {
    fn default() -> Self {
        Self {
            max_body: 1 << 30,
            request_timeout_ms: None,
            response_timeout_ms: None,
            buffer_requests: false,
            basic_auth: BTreeMap::new(),
            allow: Vec::new(),
            trusted_proxies: Vec::new(),
            compression: false,
            sticky: false,
            server_timing: false,
            access_log: AccessLog::default(),
            maintenance_page: None,
            error_pages: BTreeMap::new(),
            hold: HoldPolicy::default(),
        }
    }
}

/// How requests are written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessLog {
    /// Not at all.
    #[default]
    Off,
    /// One JSON object a line.
    Json,
    /// The combined format of Apache's servers.
    Combined,
}

/// How many requests wait, and how long, while a service is held. Past either bound: 503 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct HoldPolicy {
    /// Milliseconds that one request waits. Default 30 s.
    pub timeout_ms: u64,
    /// Requests that wait at one time. Default 1,000.
    pub requests: usize,
}

impl Default for HoldPolicy {
    fn default() -> Self {
        Self { timeout_ms: 30_000, requests: 1_000 }
    }
}
