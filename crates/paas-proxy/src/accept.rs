use std::{
    io,
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::net::{SocketFlags, acceptfrom_with};
use rustls::ServerConfig;
use tokio::{
    io::Interest,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use crate::{
    api::ListenerProtocol,
    connection::{Accepted, serve},
    listener::Listener,
    metrics::ListenerCounters,
    processor,
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
    // Its own type would have each connection watched before it is known where it goes, and whether that is needed. This one waits for
    // the same event, and nothing else is done with it.
    let socket = tokio::net::TcpStream::from_std(TcpStream::from(OwnedFd::from(socket)))?;
    let protocol = if tls.is_some() { ListenerProtocol::Https } else { ListenerProtocol::Http };
    let counters = shared.counters.listener(address, protocol);
    let hall = Hall { shared, address, tls, counters, crew, own };
    let mut at_once = 0;
    while !hall.shared.stop.has_begun() {
        // Who accepts serves: of many that come at one time the other workers are to get their share.
        at_once += 1;
        if at_once > MOST_AT_ONCE {
            at_once = 0;
            tokio::task::yield_now().await;
        }
        let accepted = tokio::select! {
            // A token takes a lock that all connections share.
            biased;
            accepted = socket.async_io(Interest::READABLE, || next(&socket)) => accepted,
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
        && let Some(accepted) = ready(next(&socket))
    {
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { break };
        if !hall.start(accepted, Some(slot)) {
            break;
        }
    }
    Ok(())
}

/// The next connection of the kernel's queue. Its socket does not block.
fn next(listener: impl AsFd) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (socket, client) = acceptfrom_with(listener, flags)?;
    let client = client.and_then(|client| client.try_into().ok());
    // A client without an address is none of IP.
    Ok((TcpStream::from(socket), client.ok_or(io::ErrorKind::InvalidInput)?))
}

/// `None` when there is none.
fn ready<T>(accepted: io::Result<T>) -> Option<io::Result<T>> {
    match accepted {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
        accepted => Some(accepted),
    }
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
        let started = accepted.map(|(socket, client)| {
            let timers = place.timers();
            let held = (slot, place, self.counters.accepted());
            let connection = async move {
                processor::count_connection();
                serve(owner, Accepted { socket, client, listener, timers }, tls).await;
                drop(held);
            };
            match elsewhere {
                None => self.shared.tasks.spawn(connection),
                Some(worker) => self.shared.tasks.spawn_on(connection, worker),
            };
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
