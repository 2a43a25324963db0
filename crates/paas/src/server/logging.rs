use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// The libraries of HTTP/2 and QUIC warn of what strangers send, as often as they send it.
const USUAL: &str = "info,h2=error,quinn=error,quinn_proto=error";

/// Log lines on standard error, for the journal or a terminal. `PAAS_LOG` chooses what (`info`, `paas_deploy=debug`, …). No line ever holds a
/// config value: values are `Secret`, whose `Debug` hides them.
pub(super) fn start() {
    let filter = EnvFilter::try_from_env("PAAS_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
