use std::{
    net::{SocketAddr, UdpSocket},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use futures_util::future::join_all;
use quinn::{Endpoint, Incoming, ServerConfig};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{connection, endpoint::endpoint};
use crate::{api::ListenerProtocol, handover::Predecessor, metrics::OpenConnection, shared::Shared};

/// Connections beyond which a client must show that its address is its own before we remember it (RFC 9000, 8.1.2).
const UNVALIDATED: usize = 1000;

/// Serves HTTP/3 on sockets, once the process before this one reads them no more: a packet goes to whoever reads first.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    sockets: Vec<UdpSocket>,
    settings: Option<ServerConfig>,
    slots: Arc<Semaphore>,
    predecessor: Option<Predecessor>,
) {
    if let Some(predecessor) = predecessor {
        tokio::select! {
            // Also when this process is being replaced itself: its own successor waits for both.
            () = predecessor.released() => {}
            () = shared.stop.commands.cancelled() => return,
        }
    }
    let Some(settings) = settings.filter(|_| !shared.stop.accepting.is_cancelled()) else { return };
    let accepting = sockets.into_iter().filter_map(|socket| match endpoint(socket, settings.clone()) {
        Ok(endpoint) => Some(accept(Arc::clone(&shared), endpoint, Arc::clone(&slots))),
        Err(error) => {
            tracing::error!(%error, "HTTP/3 is not served: its UDP socket cannot be used");
            None
        }
    });
    join_all(accepting).await;
}

/// Accepts until the shutdown. Who comes later is left unanswered, as the kernel does for TCP: the client tries again, and
/// finds the next process. Ends when every connection has.
async fn accept(shared: Arc<Shared>, endpoint: Endpoint, slots: Arc<Semaphore>) {
    let Ok(listener) = endpoint.local_addr() else { return };
    let counters = shared.counters.listener(listener, ListenerProtocol::Http3);
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
            let open = counters.accepted();
            shared.tasks.spawn(handshake(Arc::clone(&shared), incoming, listener, (slot, open)));
        } else {
            counters.refused();
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
    _held: (OwnedSemaphorePermit, OpenConnection),
) {
    let Some(_place) = shared.admit(incoming.remote_address().ip()) else {
        return incoming.refuse();
    };
    let connecting = match incoming.accept() {
        Ok(connecting) => connecting,
        Err(error) => return tracing::debug!(error = %error, "a QUIC connection was not accepted"),
    };
    match timeout(shared.limits.header_timeout, connecting).await {
        Ok(Ok(connection)) => connection::serve(shared, connection, listener).await,
        Ok(Err(error)) => {
            shared.counters.handshakes_failed.fetch_add(1, Relaxed);
            tracing::debug!(error = %error, "a QUIC handshake failed");
        }
        Err(_) => {
            shared.counters.handshakes_failed.fetch_add(1, Relaxed);
            tracing::debug!("a QUIC handshake took too long");
        }
    }
}
