//! The commands as functions.

mod call;
mod certificates;
mod error;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use serde::Serialize;

pub use error::ProxyClientError;

use crate::{
    admin::{Done, DrainRequest},
    api::{
        DeleteOutcome, DrainOutcome, HandOverOutcome, ProxyMetrics, ProxyStatus, PutOutcome, ServiceSpec,
        ServiceStatus,
    },
    refusal::Refusal,
    spec_check::check_id,
};

/// How long a command may take that waits for nothing but a disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a wait's answer may take beyond the wait itself.
///
/// WebSockets end within 5 s of it.
const SLACK: Duration = Duration::from_secs(15);

/// Sends commands to the proxy. Cheap to clone; each command is a connection of its own.
#[derive(Debug, Clone)]
pub struct ProxyClient {
    socket: PathBuf,
}

impl ProxyClient {
    /// A client for the proxy whose admin socket is at `socket`.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// The admin socket this client speaks to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Replaces one service, hosts and targets, in one step: a request sees the old one or the new one. When this returns, the
    /// new one is in force and on disk. Targets no longer named get no new request; see [`wait_drained`](Self::wait_drained).
    /// Putting what is there already changes nothing.
    pub async fn put_service(&self, spec: &ServiceSpec) -> Result<PutOutcome, ProxyClientError> {
        check_id("service name", &spec.name)?;
        let path = format!("/v1/services/{}", spec.name);
        self.call(Method::PUT, &path, encode(spec)?, PATIENCE).await
    }

    /// Removes a service: its hosts are unknown and its targets drain. A service that does not exist is not an error.
    pub async fn delete_service(&self, name: &str) -> Result<DeleteOutcome, ProxyClientError> {
        check_id("service name", name)?;
        self.call(Method::DELETE, &format!("/v1/services/{name}"), Bytes::new(), PATIENCE).await
    }

    /// Every service as it runs.
    pub async fn services(&self) -> Result<Vec<ServiceStatus>, ProxyClientError> {
        self.call(Method::GET, "/v1/services", Bytes::new(), PATIENCE).await
    }

    /// Waits until a target that no service names any more has no request in flight. Returns at once at 0. After `timeout`
    /// whatever is left, WebSockets included, is cut and counted in the outcome. A target the proxy does not know is drained;
    /// one that still receives requests is refused ([`TargetActive`](crate::RefusalKind::TargetActive)). Dropping the wait
    /// cuts nothing.
    pub async fn wait_drained(
        &self,
        target_id: &str,
        timeout: Duration,
    ) -> Result<DrainOutcome, ProxyClientError> {
        check_id("target id", target_id)?;
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let body = encode(&DrainRequest { timeout_ms })?;
        self.call(
            Method::POST,
            &format!("/v1/targets/{target_id}/drain"),
            body,
            timeout.saturating_add(SLACK),
        )
        .await
    }

    /// What the proxy has counted since it started.
    pub async fn metrics(&self) -> Result<ProxyMetrics, ProxyClientError> {
        self.call(Method::GET, "/v1/metrics", Bytes::new(), PATIENCE).await
    }

    /// The same of one process alone, not of those before it.
    pub(crate) async fn wait_drained_alone(
        &self,
        target_id: &str,
        timeout: Duration,
    ) -> Result<DrainOutcome, ProxyClientError> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let path = format!("/v1/alone/targets/{target_id}/drain");
        let body = encode(&DrainRequest { timeout_ms })?;
        self.call(Method::POST, &path, body, timeout.saturating_add(SLACK)).await
    }

    /// Lets a process that drains put the table on disk in force.
    pub(crate) async fn follow(&self) -> Result<(), ProxyClientError> {
        self.call::<Done>(Method::POST, "/v1/alone/follow", Bytes::new(), PATIENCE).await.map(drop)
    }

    /// Waits for the end of a process that drains.
    pub(crate) async fn end(&self, patience: Duration) -> Result<(), ProxyClientError> {
        self.call::<Done>(Method::POST, "/v1/alone/end", Bytes::new(), patience).await.map(drop)
    }

    /// Lets the proxy start its successor and hand over to it: the same address, another process, and no request is lost. When
    /// this returns the successor accepts, and the process before it drains. When it fails, the proxy goes on as before
    /// ([`NotHandedOver`](crate::RefusalKind::NotHandedOver)).
    pub async fn hand_over(&self) -> Result<HandOverOutcome, ProxyClientError> {
        self.call(Method::POST, "/v1/hand-over", Bytes::new(), PATIENCE).await
    }

    /// The proxy itself.
    pub async fn status(&self) -> Result<ProxyStatus, ProxyClientError> {
        self.call(Method::GET, "/v1/status", Bytes::new(), PATIENCE).await
    }
}

fn encode(body: &impl Serialize) -> Result<Bytes, ProxyClientError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(|error| {
        ProxyClientError::Refused(Refusal::invalid(format!("the command cannot be written as JSON: {error}")))
    })
}
