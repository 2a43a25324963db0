use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::HeaderValue;
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accept::accept,
    admin::{self, Admin, AdminListener},
    challenge::Challenges,
    config::ProxyConfig,
    error::ProxyError,
    http3,
    listener::{Listener, listeners},
    registry::Registry,
    shared::{Shared, Stop},
    state_file::StateFile,
    tls::{self, Certificates},
    workers::Workers,
};

/// How often idle connections to targets and old challenges are looked over.
const SWEEP: Duration = Duration::from_secs(2);

/// Told once the proxy accepts requests and commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Where it listens for HTTP.
    pub http: Vec<SocketAddr>,
    /// Where it listens for HTTPS.
    pub https: Vec<SocketAddr>,
    /// The number of the table it starts with.
    pub generation: u64,
}

/// Runs the proxy until `shutdown`.
///
/// The table and the certificates are loaded before the first connection is accepted. At the shutdown: no connection is
/// accepted any more, WebSockets are closed, requests in flight end (for at most
/// [`Limits::shutdown_timeout`](crate::Limits::shutdown_timeout)), and this returns. Clients that were connecting at that
/// moment are still served.
pub async fn run(
    mut config: ProxyConfig,
    shutdown: CancellationToken,
    on_ready: impl FnOnce(&Ready),
) -> Result<(), ProxyError> {
    let registry = Registry::load(StateFile::new(config.state_file.clone())).map_err(ProxyError::Table)?;
    let certificates = Arc::new(Certificates::load(config.certificates.clone())?);
    let challenges = Arc::<Challenges>::default();
    let tls = tls::config(Arc::clone(&certificates), Arc::clone(&challenges)).map_err(ProxyError::Tls)?;
    let admin_socket = AdminListener::bind(&config.admin).await?;
    let listeners = listeners(&mut config, &tls)?;
    let ready = Ready {
        http: addresses(&listeners, false)?,
        https: addresses(&listeners, true)?,
        generation: registry.table().generation,
    };
    let endpoints = if config.http3 {
        let settings = http3::settings(&tls, &config.limits)?;
        http3::endpoints(std::mem::take(&mut config.inherited_udp), &ready.https, &settings)?
    } else {
        Vec::new()
    };
    let shared = Arc::new(Shared {
        registry,
        certificates,
        challenges,
        alt_svc: (!endpoints.is_empty()).then(|| alt_svc(config.https_public_port)).flatten(),
        https_port: (!ready.https.is_empty()).then_some(config.https_public_port),
        limits: config.limits,
        tasks: TaskTracker::new(),
        stop: Stop::default(),
    });

    let mut background = JoinSet::new();
    background.spawn(admin::serve(
        Arc::new(Admin::new(Arc::clone(&shared))),
        admin_socket,
        shared.stop.accepting.clone(),
    ));
    // A listener takes a slot before it accepts: those that wait for clients must not keep one from the one that is busy.
    let waiting = listeners.len().saturating_sub(1);
    let slots = Arc::new(Semaphore::new(shared.limits.max_connections + waiting));
    let workers = Workers::start().map_err(ProxyError::Workers)?;
    for listener in listeners {
        let turns = Arc::clone(workers.turns());
        background.spawn(accept(Arc::clone(&shared), listener, Arc::clone(&slots), turns));
    }
    let quic: Vec<_> = endpoints
        .into_iter()
        .map(|endpoint| tokio::spawn(http3::accept(Arc::clone(&shared), endpoint, Arc::clone(&slots))))
        .collect();
    let sweeper = tokio::spawn(sweep(Arc::clone(&shared)));
    tracing::info!(http = ?ready.http, https = ?ready.https, generation = ready.generation, "the proxy accepts requests");
    on_ready(&ready);

    let outcome = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        _ = background.join_next() => Err(ProxyError::PartEnded),
    };
    stop(&shared, background).await;
    sweeper.abort();
    drop(workers);
    for endpoint in quic {
        // It ended with the last connection; a panic in it was reported.
        let _ = endpoint.await;
    }
    outcome
}

async fn stop(shared: &Shared, mut background: JoinSet<()>) {
    tracing::info!("the proxy ends: no new connections");
    shared.stop.accepting.cancel();
    while background.join_next().await.is_some() {}
    shared.registry.settle().await;
    shared.certificates.settle().await;
    shared.stop.tunnels.cancel();
    shared.tasks.close();
    if tokio::time::timeout(shared.limits.shutdown_timeout, shared.tasks.wait()).await.is_err() {
        tracing::warn!(
            connections = shared.tasks.len(),
            "requests in flight are cut: they took too long to end"
        );
        shared.stop.everything.cancel();
        shared.tasks.wait().await;
    }
    tracing::info!("the proxy has ended");
}

async fn sweep(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        shared.registry.sweep_pools(shared.limits.upstream_idle);
        shared.challenges.sweep();
    }
}

/// For an hour: a browser that is told of HTTP/3 tries it first, even after it was turned off.
fn alt_svc(port: u16) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("h3=\":{port}\"; ma=3600")).ok()
}

fn addresses(listeners: &[Listener], encrypted: bool) -> Result<Vec<SocketAddr>, ProxyError> {
    let wanted = listeners.iter().enumerate().filter(|(_, listener)| listener.tls.is_some() == encrypted);
    let address = |(index, listener): (usize, &Listener)| {
        listener.socket.local_addr().map_err(|source| ProxyError::Inherited { index, source })
    };
    wanted.map(address).collect()
}
