use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{shared::Shared, tunnel::LONGEST_END};

/// How long clients have to take that their request is given up. Tunnels were told to end long before.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a proxy ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It was told to. Whoever starts the next one waits for this one's end.
    Shutdown,
    /// Another process serves already.
    HandedOver,
    /// A part of it ended by itself.
    PartEnded,
}

/// Ends everything but the commands, in order; returns when nothing is in flight.
pub(crate) async fn stop(
    shared: &Shared,
    reason: Reason,
    mut accepting: JoinSet<()>,
    shutdown: &CancellationToken,
) {
    tracing::info!("the proxy ends: no new connections");
    shared.giver.close();
    shared.stop.begin();
    while accepting.join_next().await.is_some() {}
    if reason != Reason::HandedOver {
        shared.stop.commands.cancel();
        shared.registry.settle().await;
        shared.certificates.settle().await;
        shared.stop.tunnels.cancel();
    }
    shared.tasks.close();
    let limit = Instant::now() + shared.limits.shutdown_timeout;
    let mut ended = tokio::select! {
        ended = timeout_at(limit, shared.tasks.wait()) => ended,
        () = told_to_end(shared, reason, shutdown) => {
            // As any proxy that is waited for.
            shared.stop.hurry.cancel();
            shared.stop.tunnels.cancel();
            timeout_at(limit, shared.tasks.wait()).await
        }
    };
    if ended.is_err() {
        // Who still waits for an answer gets one that says so.
        shared.registry.cut_off();
        shared.stop.tunnels.cancel();
        let longest = if reason == Reason::HandedOver { LONGEST_END } else { LAST_WORDS };
        ended = timeout(longest, shared.tasks.wait()).await;
    }
    if ended.is_err() {
        tracing::warn!(
            connections = shared.tasks.len(),
            "requests in flight are cut: they took too long to end"
        );
        shared.stop.everything.cancel();
        shared.tasks.wait().await;
    }
}

async fn told_to_end(shared: &Shared, reason: Reason, shutdown: &CancellationToken) {
    match reason {
        Reason::HandedOver => tokio::select! {
            () = shutdown.cancelled() => {}
            () = shared.stop.hurry.cancelled() => {}
        },
        Reason::Shutdown | Reason::PartEnded => std::future::pending().await,
    }
}
