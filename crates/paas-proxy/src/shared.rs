use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{challenge::Challenges, config::Limits, registry::Registry, tls::Certificates};

/// How long after the listener is closed a connection may still bring a request that was under way. hyper's graceful shutdown
/// closes connections whose next request it has not read yet, and the client would see a reset.
const LAST_REQUESTS: Duration = Duration::from_millis(250);

/// What every connection and request of the process shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) challenges: Arc<Challenges>,
    /// Under which port visitors reach HTTPS, if it is served.
    pub(crate) https_port: Option<u16>,
    /// What visitors over HTTPS are told about HTTP/3, if it is served (RFC 7838).
    pub(crate) alt_svc: Option<HeaderValue>,
    pub(crate) limits: Limits,
    /// Connections and tunnels, waited for at a shutdown.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: Stop,
}

/// The three steps of a shutdown.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    /// No new connection; answers carry `Connection: close`.
    pub(crate) accepting: CancellationToken,
    /// WebSockets and other tunnels end: they would not end by themselves, and their clients connect again.
    pub(crate) tunnels: CancellationToken,
    /// Everything ends now.
    pub(crate) everything: CancellationToken,
}

impl Stop {
    /// Returns when a connection need not be waited for any more that has no request under way: some time after the shutdown
    /// began, or after this was called if that was later.
    pub(crate) async fn last_requests(&self) {
        self.accepting.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    }
}
