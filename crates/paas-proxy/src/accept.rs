use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::FutureExt;
use rustls::ServerConfig;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    connection::{Accepted, serve},
    listener::Listener,
    shared::Shared,
    workers::Turns,
};

/// The pause when the process or the system is out of descriptors or memory: the kernel offers no event for their return.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

/// Accepts until the shutdown, and then what the kernel had accepted for us already: those clients think they are connected.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    listener: Listener,
    slots: Arc<Semaphore>,
    turns: Arc<Turns>,
) {
    let Listener { socket, tls } = listener;
    loop {
        let slot_and_client = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, socket.accept().await)
        };
        tokio::select! {
            (slot, accepted) = slot_and_client => {
                let Ok(slot) = slot else { return };
                if !start(&shared, &turns, tls.as_ref(), accepted, slot) {
                    tokio::time::sleep(OUT_OF_RESOURCES).await;
                }
            }
            () = shared.stop.accepting.cancelled() => break,
        }
    }
    while let Some(accepted) = tokio::task::unconstrained(socket.accept()).now_or_never() {
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { return };
        if !start(&shared, &turns, tls.as_ref(), accepted, slot) {
            return;
        }
    }
}

/// Serves an accepted connection in a task of its own, on the worker whose turn it is. False when accepting should pause.
fn start(
    shared: &Arc<Shared>,
    turns: &Turns,
    tls: Option<&Arc<ServerConfig>>,
    accepted: io::Result<(TcpStream, SocketAddr)>,
    slot: OwnedSemaphorePermit,
) -> bool {
    let prepared = accepted.and_then(|(stream, client)| {
        // Small answers must not wait for the acknowledgement of the ones before.
        stream.set_nodelay(true)?;
        let listener = stream.local_addr()?;
        // It leaves the runtime that accepted it.
        Ok((stream.into_std()?, client, listener))
    });
    match prepared {
        Ok((stream, client, listener)) => {
            let (owner, tls) = (Arc::clone(shared), tls.cloned());
            let connection = async move {
                match TcpStream::from_std(stream) {
                    Ok(stream) => serve(owner, Accepted { stream, client, listener }, tls).await,
                    Err(error) => tracing::warn!(error = %error, "a connection could not be served"),
                }
                drop(slot);
            };
            match turns.next() {
                Some(worker) => shared.tasks.spawn_on(connection, worker),
                None => shared.tasks.spawn(connection),
            };
            true
        }
        Err(error) if is_the_clients(&error) => true,
        Err(error) => {
            tracing::warn!(error = %error, "no connection could be accepted; trying again");
            false
        }
    }
}

/// Errors of one connection that was gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::NotConnected
            | Kind::InvalidInput
            | Kind::Interrupted
    )
}
