use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::FutureExt;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    api::ListenerProtocol,
    connection::{Accepted, serve},
    listener::Listener,
    metrics::ListenerCounters,
    shared::Shared,
    workers::Crew,
};

/// The pause when the process or the system is out of descriptors or memory: the kernel offers no event for their return.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

/// How many connections one worker accepts before it serves.
const MOST_AT_ONCE: usize = 4;

/// Accepts until the shutdown, and then what the kernel had accepted for us already: those clients think they are connected. Runs
/// on each worker, for each listener; `own` is the worker's number.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    listener: Listener,
    slots: Arc<Semaphore>,
    crew: Arc<Crew>,
    own: usize,
) -> io::Result<()> {
    let Listener { socket, address, tls } = listener;
    let socket = TcpListener::from_std(socket)?;
    let protocol = if tls.is_some() { ListenerProtocol::Https } else { ListenerProtocol::Http };
    let counters = shared.counters.listener(address, protocol);
    let hall = Hall { shared, address, tls, counters, crew, own };
    let mut at_once = 0;
    loop {
        // Who accepts serves: of many that come at one time the other workers are to get their share.
        at_once += 1;
        if at_once > MOST_AT_ONCE {
            at_once = 0;
            tokio::task::yield_now().await;
        }
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = hall.shared.stop.accepting.cancelled() => break,
        };
        // Without a slot this one waits here, and those after it in the kernel's queue. At the end it need not wait.
        let slot = tokio::select! {
            biased;
            slot = Arc::clone(&slots).acquire_owned() => slot.ok(),
            () = hall.shared.stop.accepting.cancelled() => None,
        };
        if !hall.start(accepted, slot) {
            tokio::time::sleep(OUT_OF_RESOURCES).await;
        }
    }
    // After a hand-over they are the successor's.
    while !hall.shared.giver.moved.is_cancelled()
        && let Some(accepted) = tokio::task::unconstrained(socket.accept()).now_or_never()
    {
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { break };
        if !hall.start(accepted, Some(slot)) {
            break;
        }
    }
    Ok(())
}

/// What the connections of one listener share on one worker.
struct Hall {
    shared: Arc<Shared>,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    counters: Arc<ListenerCounters>,
    crew: Arc<Crew>,
    own: usize,
}

impl Hall {
    /// Serves an accepted connection in a task of its own. False when accepting should pause.
    fn start(
        &self,
        accepted: io::Result<(TcpStream, SocketAddr)>,
        slot: Option<OwnedSemaphorePermit>,
    ) -> bool {
        let (place, elsewhere) = self.crew.place(self.own);
        let (owner, tls, listener) = (Arc::clone(&self.shared), self.tls.clone(), self.address);
        let started = accepted.and_then(|(stream, client)| {
            let timers = place.timers();
            let held = (slot, place, self.counters.accepted());
            let connection = move |stream| async move {
                serve(owner, Accepted { stream, client, listener, timers }, tls).await;
                drop(held);
            };
            match elsewhere {
                None => self.shared.tasks.spawn(connection(stream)),
                Some(worker) => {
                    let stream = stream.into_std()?;
                    let connection = async move {
                        match TcpStream::from_std(stream) {
                            Ok(stream) => connection(stream).await,
                            Err(error) => tracing::warn!(error = %error, "a connection could not be served"),
                        }
                    };
                    self.shared.tasks.spawn_on(connection, worker)
                }
            };
            Ok(())
        });
        match started {
            Ok(()) => true,
            Err(error) if is_the_clients(&error) => true,
            Err(error) => {
                self.counters.refused();
                tracing::warn!(error = %error, "no connection could be accepted; trying again");
                false
            }
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
