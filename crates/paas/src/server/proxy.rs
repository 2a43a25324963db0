use std::{
    io::{self, Write as _},
    os::{fd::AsFd as _, unix::net::UnixStream},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use paas_proxy::{AdminSocket, HandOver, Limits, ProxyClient, ProxyConfig, Ready};
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use super::{logging, serve, successor::NextProxy};
use crate::{config::Config, error::CliError, small_runtime};

/// Runs the data plane until it is told to stop, or has handed over. SIGHUP asks for a hand-over.
pub(super) fn run(
    config: &Config,
    config_path: Option<PathBuf>,
    take_over: bool,
) -> Result<ExitCode, CliError> {
    logging::start();
    let predecessor = take_over.then(standard_input).transpose()?;
    let runtime = serve::server_runtime()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        serve::stop_on_signals(&shutdown)?;
        let asked = Arc::<Notify>::default();
        ask_on_hangup(&asked)?;
        let successor = Arc::new(NextProxy::new(config_path)?);
        let hand_over = HandOver { predecessor, successor: Some(successor), asked, ..HandOver::default() };
        let _watchdog = serve::watchdog();
        let ready = |_: &Ready| {
            // Whoever takes over is made known by its predecessor: until then systemd does not listen to it.
            if !take_over {
                serve::notify(&[NotifyState::Ready]);
            }
        };
        let proxy = proxy_config(config, hand_over);
        paas_proxy::run(proxy, shutdown, ready).await.map_err(|error| CliError::ours(&error))?;
        Ok(ExitCode::SUCCESS)
    })
}

fn proxy_config(config: &Config, hand_over: HandOver) -> ProxyConfig {
    ProxyConfig {
        http: config.proxy.http.clone(),
        https: config.proxy.https.clone(),
        https_public_port: config.proxy.https_port().unwrap_or(443),
        http3: config.proxy.http3,
        hand_over,
        inherited: Vec::new(),
        inherited_udp: Vec::new(),
        admin: AdminSocket::new(config.proxy_socket()),
        state_file: config.proxy_table(),
        certificates: config.proxy_certificates(),
        access_logs: config.access_logs(),
        limits: Limits::default(),
    }
}

fn standard_input() -> Result<UnixStream, CliError> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

fn ask_on_hangup(asked: &Arc<Notify>) -> Result<(), CliError> {
    let mut hangup = signal(SignalKind::hangup())?;
    let asked = Arc::clone(asked);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            asked.notify_one();
        }
    });
    Ok(())
}

/// Lets the running proxy hand over to a new process of the installed binary.
pub(super) fn reload(config: &Config) -> Result<ExitCode, CliError> {
    let proxy = ProxyClient::new(config.proxy_socket());
    let outcome = small_runtime()?.block_on(proxy.hand_over()).map_err(|error| CliError::of(&error))?;
    writeln!(io::stdout(), "The proxy has handed over to process {}", outcome.pid)?;
    Ok(ExitCode::SUCCESS)
}
