use std::process::ExitCode;

use paas_proxy::{AdminSocket, Limits, ProxyConfig};
use tokio_util::sync::CancellationToken;

use super::{logging, serve};
use crate::{config::Config, error::CliError};

/// Runs the data plane until it is told to stop.
pub(super) fn run(config: &Config) -> Result<ExitCode, CliError> {
    logging::start();
    let proxy = ProxyConfig {
        http: config.proxy.http.clone(),
        https: config.proxy.https.clone(),
        https_public_port: config.proxy.https_port().unwrap_or(443),
        http3: config.proxy.http3,
        inherited: Vec::new(),
        inherited_udp: Vec::new(),
        admin: AdminSocket::new(config.proxy_socket()),
        state_file: config.proxy_table(),
        certificates: config.proxy_certificates(),
        limits: Limits::default(),
    };
    let runtime = serve::server_runtime()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        serve::stop_on_signals(&shutdown)?;
        let _watchdog = serve::watchdog();
        let ready = |_: &paas_proxy::Ready| serve::notify(&[sd_notify::NotifyState::Ready]);
        paas_proxy::run(proxy, shutdown, ready).await.map_err(|error| CliError::ours(&error))?;
        Ok(ExitCode::SUCCESS)
    })
}
