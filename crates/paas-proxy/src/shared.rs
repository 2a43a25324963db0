use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};

use http::HeaderValue;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    access_log::AccessLogs,
    api::ProxyMetrics,
    buffering::Buffers,
    challenge::Challenges,
    clients::{Clients, Place},
    config::Limits,
    gate::Verifier,
    handover::Giver,
    metrics::ProcessCounters,
    refusal::Refusal,
    registry::Registry,
    tls::Certificates,
};

/// How long after the listener is closed a connection may still bring a request that was under way. Closed before, its client would see
/// a reset.
const LAST_REQUESTS: Duration = Duration::from_millis(250);

/// What every connection and request of the process shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) registry: Registry,
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) challenges: Arc<Challenges>,
    /// Checks the passwords of visitors.
    pub(crate) verifier: Verifier,
    /// Under which port visitors reach HTTPS, if it is served.
    pub(crate) https_port: Option<u16>,
    /// What visitors over HTTPS are told about HTTP/3, if it is served (RFC 7838).
    pub(crate) alt_svc: Option<HeaderValue>,
    pub(crate) limits: Limits,
    /// Where bodies wait that are read whole.
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) counters: ProcessCounters,
    pub(crate) access_logs: Arc<AccessLogs>,
    pub(crate) clients: Arc<Clients>,
    /// Gives the sockets to another process.
    pub(crate) giver: Giver,
    /// Connections and tunnels, waited for at a shutdown.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: Stop,
}

impl Shared {
    /// A place for one more connection of a client; `None` when it has as many as it may. A proxy that an app trusts is not one
    /// client.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Place> {
        self.clients.admit(address, || self.registry.table().trusts(address.to_canonical()))
    }

    /// What was counted so far.
    pub(crate) fn metrics(&self) -> ProxyMetrics {
        ProxyMetrics {
            started_at: self.counters.started_at,
            generation: self.registry.table().generation,
            services: self.registry.records().read(),
            unknown: self.counters.unknown.read(),
            listeners: self.counters.listeners(),
            handshakes_failed: self.counters.handshakes_failed.load(Relaxed),
            upstream: self.counters.upstream(),
            certificates: self.certificates.ends(),
            access_log_dropped: self.access_logs.dropped(),
        }
    }
}

/// The steps of a shutdown.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    /// No new connection; answers carry `Connection: close`.
    pub(crate) accepting: CancellationToken,
    /// The same for every request to read: a token takes a lock to tell.
    begun: AtomicBool,
    /// No new command. After a hand-over the last step: the successor asks what still runs here.
    pub(crate) commands: CancellationToken,
    /// Whoever takes requests ends too: what drains here is waited for.
    pub(crate) hurry: CancellationToken,
    /// WebSockets, other tunnels and event streams end: they would not end by themselves, and their clients connect again. Requests
    /// of a held service are answered: nothing will end their wait here.
    pub(crate) tunnels: CancellationToken,
    /// Everything ends now.
    pub(crate) everything: CancellationToken,
}

impl Stop {
    /// No new connection from now on.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Release);
        self.accepting.cancel();
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Acquire)
    }

    /// Returns when a connection need not be waited for any more that has no request under way: some time after the shutdown
    /// began, or after this was called if that was later.
    pub(crate) async fn last_requests(&self) {
        self.accepting.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    }
}

impl Shared {
    /// Returns when a connection of HTTP/1.1 need not be kept any more that has no request under way. After a hand-over nobody
    /// waits for its end, so that it may bring one more: to close it meanwhile could cross that request on its way.
    pub(crate) async fn last_requests(&self) {
        self.stop.last_requests().await;
        if self.giver.moved.is_cancelled() {
            self.stop.tunnels.cancelled().await;
        }
    }

    /// Hands over to a successor; gives its process id. The log says how it went.
    pub(crate) async fn hand_over(&self) -> Result<u32, Refusal> {
        tracing::info!("the proxy hands over");
        match self.giver.hand_over(&self.registry, &self.certificates, &self.challenges).await {
            Ok(pid) => {
                tracing::info!(pid, "another proxy has taken over");
                Ok(pid)
            }
            Err(error) => {
                let refusal = Refusal::not_handed_over(&error);
                tracing::error!(error = %refusal, "the proxy did not hand over and goes on");
                Err(refusal)
            }
        }
    }
}
