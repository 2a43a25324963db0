//! The commands and answers of the admin API. Unknown fields are ignored, so that a newer control can talk to an older proxy.

mod candidate;
mod certificate;
mod metrics;
mod password_hash;
mod policy;
mod route;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use candidate::CandidateSpec;
pub use certificate::{
    CertificateOutcome, CertificateSpec, CertificateStatus, ChallengeProof, ChallengeSpec,
};
pub use metrics::{
    CertificateEnd, DURATION_BOUNDS, ListenerMetrics, ListenerProtocol, ProxyMetrics, RequestMetrics,
    UpstreamMetrics,
};
pub(crate) use password_hash::Derived;
pub use password_hash::PasswordHash;
pub use policy::{AccessLog, HoldPolicy, RequestPolicy};
pub use route::{HostRedirect, PathRoute};

/// What one service looks like: the hosts that lead to it and the targets that serve it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ServiceSpec {
    /// Unique; 1 to 128 of `A-Z a-z 0-9 . _ -`. Never shown to the proxy's visitors.
    pub name: String,
    /// `blog.example.com`, `*.example.com` (exactly one label in place of the star, as in certificates) or an IP address.
    /// Case does not matter. A host belongs to one service at a time.
    pub hosts: Vec<String>,
    /// The containers that receive the requests. May be empty: visitors then get 503.
    pub targets: Vec<TargetSpec>,
    /// Whether requests are passed on at all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub state: ServiceState,
    /// What visitors are told about HTTPS.
    #[serde(default, skip_serializing_if = "is_default")]
    pub https: HttpsPolicy,
    /// Paths below hosts, also those of other services, that lead here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub paths: Vec<PathRoute>,
    /// Hosts whose visitors are sent to another host.
    #[serde(default, skip_serializing_if = "is_default")]
    pub redirects: Vec<HostRedirect>,
    /// Another version that some of the visitors get.
    #[serde(default, skip_serializing_if = "is_default")]
    pub candidate: Option<CandidateSpec>,
    /// How its requests are treated.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: RequestPolicy,
}

/// What most services have is not written down for each.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl ServiceSpec {
    /// The hosts of every kind of route.
    pub(crate) fn all_hosts(&self) -> impl Iterator<Item = &str> {
        let hosts = self.hosts.iter();
        let redirects = self.redirects.iter().map(|redirect| &redirect.host);
        hosts.chain(redirects).chain(self.paths.iter().map(|route| &route.host)).map(String::as_str)
    }

    /// The targets of the service and of its candidate.
    pub(crate) fn all_targets(&self) -> impl Iterator<Item = &TargetSpec> {
        self.targets.iter().chain(self.candidate.iter().flat_map(|candidate| &candidate.targets))
    }
}

/// What a service's visitors are told about HTTPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct HttpsPolicy {
    /// Requests over HTTP are answered 308 to HTTPS while the host has a valid certificate that browsers trust. Default true.
    pub redirect: bool,
    /// Seconds for which browsers shall use HTTPS alone (`Strict-Transport-Security`, RFC 6797). `None` leaves the app's own
    /// field as it is.
    pub hsts_seconds: Option<u64>,
}

impl Default for HttpsPolicy {
    fn default() -> Self {
        Self { redirect: true, hsts_seconds: None }
    }
}

/// One container as the proxy sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct TargetSpec {
    /// Unique over all services; 1 to 128 of `A-Z a-z 0-9 . _ : -`.
    pub id: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it speaks there.
    #[serde(default)]
    pub protocol: TargetProtocol,
}

/// What a target speaks. Neither is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetProtocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 with prior knowledge (RFC 9113, 3.3), as gRPC servers want it. No WebSockets.
    H2c,
}

/// Whether a service passes requests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// Requests go to the targets.
    #[default]
    Serving,
    /// Requests are answered with a 503 page that says so.
    Stopped,
    /// Requests wait for the service to be put as `Serving` again, within [`HoldPolicy`].
    Held,
    /// Requests are answered with the service's maintenance page and 503.
    Maintenance,
}

/// Where a target stands. `Active → Draining → Retired`; a target put again while draining is active again.
/// `Retired` is final: the same id put later is a new target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetState {
    /// Receives requests.
    Active,
    /// Receives no new request; some are still in flight.
    Draining,
    /// Has no request in flight and never gets another, or was cut.
    Retired,
}

/// The answer to [`put_service`](crate::ProxyClient::put_service).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct PutOutcome {
    /// The number of the table that is now in force and on disk.
    pub generation: u64,
    /// False when the service already looked like this; nothing was written then.
    pub changed: bool,
    /// The targets this command took out of service.
    #[serde(default)]
    pub removed: Vec<String>,
}

/// The answer to [`delete_service`](crate::ProxyClient::delete_service).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct DeleteOutcome {
    /// The number of the table that is now in force and on disk.
    pub generation: u64,
    /// False when there was no such service.
    pub existed: bool,
    /// The targets this command took out of service.
    #[serde(default)]
    pub removed: Vec<String>,
}

/// One service as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ServiceStatus {
    /// The service as it was put.
    pub spec: ServiceSpec,
    /// Its targets, then its former targets that are still draining.
    pub targets: Vec<TargetStatus>,
    /// Requests that wait because it is held.
    #[serde(default)]
    pub waiting: usize,
}

/// One target as it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct TargetStatus {
    /// Its id.
    pub id: String,
    /// Its address.
    pub address: SocketAddr,
    /// Where it stands.
    pub state: TargetState,
    /// Requests and upgraded connections (WebSockets) in flight.
    pub in_flight: u64,
}

/// The answer to [`wait_drained`](crate::ProxyClient::wait_drained).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct DrainOutcome {
    /// 0, or how many requests were cut at the deadline.
    pub in_flight_left: u64,
}

/// The proxy itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct ProxyStatus {
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The number of the table in force; grows by one with each change and survives restarts.
    pub generation: u64,
    /// How many services the table has.
    pub services: usize,
    /// How many targets are still draining, those of deleted services included.
    #[serde(default)]
    pub draining: usize,
    /// How many processes before this one still drain.
    #[serde(default)]
    pub predecessors: usize,
    /// When this process started.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
}

/// A proxy has handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct HandOverOutcome {
    /// The process that has taken over.
    pub pid: u32,
}
