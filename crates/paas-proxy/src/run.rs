use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::HeaderValue;
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accept::accept,
    access_log::AccessLogs,
    admin::{self, Admin, AdminListener, Predecessors},
    buffering::Buffers,
    challenge::Challenges,
    clients::Clients,
    config::ProxyConfig,
    descriptors,
    error::ProxyError,
    gate::Verifier,
    handover::{Giver, Predecessor, Socket},
    http3,
    listener::{Listener, Role, Sockets, listeners},
    metrics::ProcessCounters,
    records::Records,
    registry::Registry,
    shared::{Shared, Stop},
    state_file::StateFile,
    stop::{Reason, stop},
    tls::{self, Certificates},
    tunnel::LONGEST_END,
    workers::Workers,
};

/// How often idle connections to targets and old challenges are looked over.
const SWEEP: Duration = Duration::from_secs(2);

/// The directory beside the state file for request bodies that are read whole.
const BODIES: &str = "bodies";

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

/// Runs the proxy until `shutdown`, or until another process has taken over and what was in flight here has ended.
///
/// The table and the certificates are loaded before the first connection is accepted. At the shutdown: no connection is
/// accepted any more, WebSockets are closed, requests in flight end (for at most
/// [`Limits::shutdown_timeout`](crate::Limits::shutdown_timeout)), and this returns. Clients that were connecting at that
/// moment are still served. After a hand-over ([`HandOver`](crate::HandOver)) WebSockets live as long as other requests may,
/// and this returns at the latest 5 s after that.
pub async fn run(
    mut config: ProxyConfig,
    shutdown: CancellationToken,
    on_ready: impl FnOnce(&Ready),
) -> Result<(), ProxyError> {
    let Some(stream) = config.hand_over.predecessor.take() else {
        let admin_socket = AdminListener::bind(&config.admin).await?;
        let sockets = Sockets::find(&mut config)?;
        let prepared = Prepared::new(config, sockets, Challenges::default())?;
        return prepared.run(admin_socket, None, shutdown, on_ready).await;
    };
    let (mut predecessor, taken) = Predecessor::take(stream).await?;
    let challenges = Challenges::default();
    for spec in taken.challenges {
        if let Err(refusal) = challenges.put(spec) {
            tracing::warn!(error = %refusal, "a challenge was not taken over");
        }
    }
    let prepared = match Prepared::new(config, taken.sockets, challenges) {
        Ok(prepared) => prepared,
        Err(error) => {
            predecessor.failed(&error).await;
            return Err(error);
        }
    };
    predecessor.prepared().await?;
    let admin_socket = AdminListener::replace(&prepared.config.admin)?;
    prepared.run(admin_socket, Some(predecessor), shutdown, on_ready).await
}

/// Everything a proxy needs to begin.
struct Prepared {
    config: ProxyConfig,
    shared: Arc<Shared>,
    listeners: Vec<Listener>,
    udp: Vec<std::net::UdpSocket>,
    quic: Option<quinn::ServerConfig>,
    ready: Ready,
}

impl Prepared {
    fn new(config: ProxyConfig, sockets: Sockets, challenges: Challenges) -> Result<Self, ProxyError> {
        let access_logs = Arc::new(AccessLogs::start(config.access_logs.clone()));
        let records = Records::new(Arc::clone(&access_logs));
        let registry =
            Registry::load(StateFile::new(config.state_file.clone()), records).map_err(ProxyError::Table)?;
        let certificates = Arc::new(Certificates::load(config.certificates.clone())?);
        let challenges = Arc::new(challenges);
        let tls = tls::config(Arc::clone(&certificates), Arc::clone(&challenges)).map_err(ProxyError::Tls)?;
        let listeners = listeners(sockets.tcp, &tls)?;
        if let Some(listener) = listeners.first() {
            reserve_descriptors(listener, config.limits.max_connections);
        }
        let ready = Ready {
            http: addresses(&listeners, false),
            https: addresses(&listeners, true),
            generation: registry.table().generation,
        };
        let (udp, quic) = if config.http3 {
            (http3::sockets(sockets.udp, &ready.https), Some(http3::settings(&tls, &config.limits)?))
        } else {
            (Vec::new(), None)
        };
        let giver = Giver::new(&config.hand_over, copies(&listeners, &udp)?);
        let shared = Arc::new(Shared {
            registry,
            certificates,
            challenges,
            verifier: Verifier::default(),
            alt_svc: (!udp.is_empty()).then(|| alt_svc(config.https_public_port)).flatten(),
            https_port: (!ready.https.is_empty()).then_some(config.https_public_port),
            clients: Clients::new(config.limits.max_connections_of_client, config.limits.max_connections / 2),
            buffers: Arc::new(Buffers::new(
                config.state_file.with_file_name(BODIES),
                config.limits.buffered_bodies,
            )),
            limits: config.limits.clone(),
            counters: ProcessCounters::new(),
            access_logs,
            giver,
            tasks: TaskTracker::new(),
            stop: Stop::default(),
        });
        Ok(Self { config, shared, listeners, udp, quic, ready })
    }

    async fn run(
        self,
        admin_socket: AdminListener,
        mut predecessor: Option<Predecessor>,
        shutdown: CancellationToken,
        on_ready: impl FnOnce(&Ready),
    ) -> Result<(), ProxyError> {
        let Self { config, shared, listeners, udp, quic, ready } = self;
        shared.access_logs.keep_only(shared.registry.table().services.keys().cloned().collect());
        let slots = Arc::new(Semaphore::new(shared.limits.max_connections));
        let workers = Workers::start().map_err(ProxyError::Workers)?;
        let mut accepting = JoinSet::new();
        for listener in &listeners {
            for (own, runtime) in workers.crew().runtimes().enumerate() {
                let listener = listener.try_clone().map_err(ProxyError::Workers)?;
                let (shared, slots) = (Arc::clone(&shared), Arc::clone(&slots));
                let crew = Arc::clone(workers.crew());
                let accepting_here = async move {
                    if let Err(error) = accept(shared, listener, slots, crew, own).await {
                        tracing::error!(error = %error, "a listening socket cannot be used");
                    }
                };
                accepting.spawn_on(accepting_here, runtime);
            }
        }
        drop(listeners);
        let sweeper = tokio::spawn(sweep(Arc::clone(&shared)));
        tracing::info!(http = ?ready.http, https = ?ready.https, generation = ready.generation, "the proxy accepts requests");
        if let Some(predecessor) = &mut predecessor {
            predecessor.started().await;
        }
        // Not before: until then the predecessor may go on, with the table as it was.
        let names = admin_socket.names();
        let predecessors = Predecessors::new(names.clone());
        shared.giver.know(names);
        let admin = Arc::new(Admin::new(Arc::clone(&shared), predecessors));
        let mut commands =
            tokio::spawn(admin::serve(Arc::clone(&admin), admin_socket, shared.stop.commands.clone()));
        let quic = tokio::spawn(http3::serve(Arc::clone(&shared), udp, quic, slots, predecessor));
        on_ready(&ready);

        let reason = loop {
            tokio::select! {
                () = shutdown.cancelled() => break Reason::Shutdown,
                () = shared.giver.moved.cancelled() => break Reason::HandedOver,
                () = config.hand_over.asked.notified() => drop(tokio::spawn(hand_over(Arc::clone(&shared)))),
                _ = accepting.join_next() => break Reason::PartEnded,
                _ = &mut commands => break Reason::PartEnded,
            }
        };
        let patience = shared.limits.shutdown_timeout + LONGEST_END;
        tokio::join!(stop(&shared, reason, accepting, &shutdown), async {
            if reason != Reason::HandedOver {
                admin.predecessors().end(patience).await;
            }
        });
        sweeper.abort();
        drop(workers);
        // It ended with the last connection; a panic in it was reported.
        let _ = quic.await;
        shared.giver.release();
        shared.stop.commands.cancel();
        if !commands.is_finished() {
            let _ = commands.await;
        }
        shared.access_logs.end().await;
        tracing::info!("the proxy has ended");
        if reason == Reason::PartEnded { Err(ProxyError::PartEnded) } else { Ok(()) }
    }
}

/// One for each connection of a client, and one for each to a target.
fn reserve_descriptors(any: &Listener, connections: usize) {
    if let Err(error) = descriptors::reserve(connections.saturating_mul(2), &any.socket) {
        tracing::warn!(error = %error, "no room could be made for descriptors; it is made when they are needed");
    }
}

/// Asked for by a signal: the log alone says how it went.
async fn hand_over(shared: Arc<Shared>) {
    let _ = shared.hand_over().await;
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

fn addresses(listeners: &[Listener], encrypted: bool) -> Vec<SocketAddr> {
    let wanted = listeners.iter().filter(|listener| listener.tls.is_some() == encrypted);
    wanted.map(|listener| listener.address).collect()
}

/// The sockets once more, for a successor.
fn copies(listeners: &[Listener], udp: &[std::net::UdpSocket]) -> Result<Vec<Socket>, ProxyError> {
    let tcp = listeners.iter().map(|listener| {
        let role = if listener.tls.is_some() { Role::Https } else { Role::Http };
        Socket::copy_of(role, &listener.socket)
    });
    let udp = udp.iter().map(|socket| Socket::copy_of(Role::Http3, socket));
    let numbered = tcp.chain(udp).enumerate();
    numbered.map(|(index, copy)| copy.map_err(|source| ProxyError::Inherited { index, source })).collect()
}
