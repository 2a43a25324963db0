use std::{net::SocketAddr, sync::Arc};

use quinn::{Endpoint, Incoming};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::connection::serve;
use crate::shared::Shared;

/// Connections beyond which a client must show that its address is its own before we remember it (RFC 9000, 8.1.2).
const UNVALIDATED: usize = 1000;

/// Accepts until the shutdown. Who comes later is left unanswered, as the kernel does for TCP: the client tries again, and
/// finds the next process. Ends when every connection has.
pub(crate) async fn accept(shared: Arc<Shared>, endpoint: Endpoint, slots: Arc<Semaphore>) {
    let Ok(listener) = endpoint.local_addr() else { return };
    let mut over = std::pin::pin!(shared.tasks.wait());
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = &mut over => break,
        };
        let Some(incoming) = incoming else {
            tracing::error!(%listener, "HTTP/3 has ended: its socket cannot be used any more; restart the proxy");
            break;
        };
        if shared.stop.accepting.is_cancelled() {
            incoming.ignore();
        } else if !incoming.remote_address_validated() && endpoint.open_connections() > UNVALIDATED {
            // It cannot be retried only if it was already.
            let _ = incoming.retry();
        } else if let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
            shared.tasks.spawn(handshake(Arc::clone(&shared), incoming, listener, slot));
        } else {
            incoming.ignore();
        }
    }
    let _ = timeout(shared.limits.shutdown_timeout, idle(&endpoint)).await;
}

/// Waits until the ends of all connections have been told. To close the endpoint would refuse those who come meanwhile.
async fn idle(endpoint: &Endpoint) {
    let mut idle = std::pin::pin!(endpoint.wait_idle());
    loop {
        tokio::select! {
            () = &mut idle => return,
            Some(incoming) = endpoint.accept() => incoming.ignore(),
        }
    }
}

async fn handshake(
    shared: Arc<Shared>,
    incoming: Incoming,
    listener: SocketAddr,
    _slot: OwnedSemaphorePermit,
) {
    let connecting = match incoming.accept() {
        Ok(connecting) => connecting,
        Err(error) => return tracing::debug!(error = %error, "a QUIC connection was not accepted"),
    };
    match timeout(shared.limits.header_timeout, connecting).await {
        Ok(Ok(connection)) => serve(shared, connection, listener).await,
        Ok(Err(error)) => tracing::debug!(error = %error, "a QUIC handshake failed"),
        Err(_) => tracing::debug!("a QUIC handshake took too long"),
    }
}
