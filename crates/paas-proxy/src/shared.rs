use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{config::Limits, registry::Registry};

/// What every connection and request of the process shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) registry: Registry,
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
