use std::{
    net::SocketAddr,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use futures_util::future::OptionFuture;
use paas_control::{AccessLogDirectory, AuthorizedKeys, ControlState};
use paas_deploy::{DeploySettings, Deployer};
use paas_docker::DockerEngine;
use paas_git::{Owner, Repositories};
use paas_proxy::ProxyClient;
use paas_store::{AddressPool, SecretKey, Store};
use sd_notify::NotifyState;
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{certificates, logging, setup};
use crate::{config::Config, error::CliError};

/// Two threads wait for everything a small server does; more would only cost memory.
const WORKERS: usize = 2;

/// Runs control until it is told to stop.
pub(super) fn run(config: Config, config_path: Option<PathBuf>) -> Result<ExitCode, CliError> {
    logging::start();
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    let store = open_store(&config)?;
    server_runtime()?.block_on(control(config, config_path, store))
}

async fn control(config: Config, config_path: Option<PathBuf>, store: Store) -> Result<ExitCode, CliError> {
    let shutdown = CancellationToken::new();
    stop_on_signals(&shutdown)?;
    let engine = DockerEngine::connect(&config.docker.socket, store.instance_label().to_owned());
    let proxy = ProxyClient::new(config.proxy_socket());
    let settings = DeploySettings {
        domain: config.domain.clone(),
        public_port: config.proxy.public_port(),
        https_port: config.proxy.https_port(),
        data: config.paths.data.clone(),
        min_free: config.build.min_free,
        keep_releases: config.build.keep_releases,
    };
    let deployer = Deployer::new(store.clone(), Arc::new(engine), Arc::new(proxy.clone()), settings);
    let certificates = certificates::keeper(&config, &store, proxy, deployer.names_changed())?;
    deployer.resume().map_err(|error| CliError::ours(&error))?;

    let user = config.ssh.uid();
    let mut repositories = Repositories::new(config.paths.repositories(), config.paths.hooks());
    if let (Some((uid, gid)), true) = (user, rustix::process::geteuid().is_root()) {
        repositories = repositories.owned_by(Owner { uid, gid });
    }
    let state = ControlState {
        deployer: Arc::clone(&deployer),
        certificates: Arc::clone(&certificates),
        repositories,
        access_logs: AccessLogDirectory::new(&config.paths.data),
        keys: AuthorizedKeys {
            path: config.paths.authorized_keys(),
            binary: setup::own_binary()?,
            config: config_path,
        },
        ssh_user_uid: user.map(|(uid, _)| uid),
        remote: ssh_remote(&config),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: std::time::Instant::now(),
    };
    let listener = bind(&config.control_socket(), user.map(|(_, gid)| gid))?;
    let metrics = metrics(config.metrics.listen, &state, &shutdown).await;
    let _watchdog = watchdog();
    let reconciling = tokio::spawn({
        let deployer = Arc::clone(&deployer);
        async move { deployer.run().await }
    });
    let keeping = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { certificates.run(shutdown).await }
    });
    notify(&[NotifyState::Ready]);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "control is ready");
    let served = paas_control::serve(listener, state, shutdown.clone()).await;
    notify(&[NotifyState::Stopping]);
    deployer.stop().await;
    let _ = tokio::join!(reconciling, keeping, metrics);
    served.map_err(|error| CliError::ours(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// Answers Prometheus, if that is wanted. An address that cannot be had keeps nobody from deploying.
async fn metrics(
    listen: Option<SocketAddr>,
    state: &ControlState,
    shutdown: &CancellationToken,
) -> OptionFuture<JoinHandle<()>> {
    let Some(address) = listen else { return None.into() };
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%address, %error, "metrics are not served; is the address of `[metrics]` in use (see `ss -ltnp`)?");
            return None.into();
        }
    };
    Some(tokio::spawn(paas_control::serve_metrics(listener, state.clone(), shutdown.clone()))).into()
}

fn open_store(config: &Config) -> Result<Store, CliError> {
    let key = SecretKey::load(&config.paths.secret_key()).map_err(|error| CliError::of(&error))?;
    let pool = AddressPool::parse(&config.network.pool).map_err(|error| CliError::of(&error))?;
    Store::open(&config.paths.database(), key, pool).map_err(|error| CliError::of(&error))
}

/// `paas@host` or `ssh://paas@host:2222/`, what goes before an app's name in a git remote.
fn ssh_remote(config: &Config) -> String {
    let (user, host) = (&config.ssh.user, config.ssh_host());
    if config.ssh.port == 22 {
        format!("{user}@{host}:")
    } else {
        format!("ssh://{user}@{host}:{}/", config.ssh.port)
    }
}

/// The API's socket: root and the ssh user's group may connect. A stale file of a dead process is replaced; a living process keeps its own.
fn bind(path: &Path, group: Option<u32>) -> Result<UnixListener, CliError> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(CliError::refused(format!("another control answers on {}", path.display()))
            .hint("stop it first: systemctl stop paas"));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    if rustix::process::geteuid().is_root() {
        chown(path, None, group)?;
    }
    Ok(listener)
}

/// The runtime of a server process.
pub(super) fn server_runtime() -> Result<tokio::runtime::Runtime, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    runtime.map_err(|error| CliError::ours(&error))
}

/// The first SIGTERM or SIGINT asks for an orderly end; a second one ends the process at once.
pub(super) fn stop_on_signals(shutdown: &CancellationToken) -> Result<(), CliError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if shutdown.is_cancelled() {
                tracing::warn!("told twice to stop: stopping at once");
                std::process::exit(1);
            }
            shutdown.cancel();
        }
    });
    Ok(())
}

/// Tells systemd; without it nothing happens.
pub(super) fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// Feeds systemd's watchdog from the runtime itself, twice as often as it asks: a process whose runtime hangs is restarted.
pub(super) fn watchdog() -> Option<AbortOnDropHandle<()>> {
    let every: Duration = sd_notify::watchdog_enabled()? / 2;
    let feeding = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            notify(&[NotifyState::Watchdog]);
        }
    });
    Some(AbortOnDropHandle::new(feeding))
}
