use std::{io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use http::Request;
use hyper::{
    body::Incoming,
    server::conn::{
        http1::{self, UpgradeableConnection},
        http2,
    },
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    forwarded::{Origin, Scheme},
    io::{Activity, Guarded, Patience, Preface, Rewind, sniff},
    request_check::MAX_HEADER,
    service::Visitor,
    shared::{Shared, Stop},
};

/// How long after the listener is closed a connection may still bring a request that was under way. hyper's graceful shutdown
/// closes connections whose next request it has not read yet, and the client would see a reset.
const LAST_REQUESTS: Duration = Duration::from_millis(250);

const MAX_STREAMS: u32 = 200;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const READ_BUFFER: usize = 64 * 1024;

/// Serves one client until its connection ends.
pub(crate) async fn serve<S>(shared: Arc<Shared>, stream: S, client: SocketAddr, listener: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let stream = Guarded::new(stream, Arc::clone(&activity), Patience::from(&shared.limits));
    let origin = Origin::new(client, listener, Scheme::Http);
    let visitor = Arc::new(Visitor { shared, origin, activity });
    if let Err(error) = serve_guarded(visitor, stream).await {
        tracing::debug!(error = %error, "a client's connection ended");
    }
}

async fn serve_guarded<S>(visitor: Arc<Visitor>, mut stream: Guarded<S>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::clone(&visitor.shared);
    let sniffed = tokio::select! {
        sniffed = sniff(&mut stream) => sniffed?,
        () = last_requests(&shared.stop) => None,
    };
    let service = {
        let visitor = Arc::clone(&visitor);
        service_fn(move |request: Request<Incoming>| Arc::clone(&visitor).answer(request))
    };
    match sniffed {
        None => Ok(()),
        Some((Preface::Http1, read)) => {
            let io = TokioIo::new(Rewind::new(read, stream));
            let connection = http1().serve_connection(io, service).with_upgrades();
            drive(connection, UpgradeableConnection::graceful_shutdown, &shared.stop).await
        }
        Some((Preface::Http2, read)) => {
            let io = TokioIo::new(Rewind::new(read, stream.multiplexed()));
            let connection = http2().serve_connection(io, service);
            drive(connection, http2::Connection::graceful_shutdown, &shared.stop).await
        }
    }
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Guarded` watches the header's time, from the first byte and apart from idling.
        .header_read_timeout(None)
        .max_header_size(MAX_HEADER)
        .max_buf_size(READ_BUFFER);
    builder
}

fn http2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEADER).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING_INTERVAL);
    builder
}

/// Runs a connection to its end. At a shutdown it carries the requests under way, then ends.
async fn drive<C>(connection: C, graceful_shutdown: impl FnOnce(Pin<&mut C>), stop: &Stop) -> io::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => return outcome.map_err(io::Error::other),
        () = last_requests(stop) => {}
    }
    graceful_shutdown(connection.as_mut());
    tokio::select! {
        outcome = connection => outcome.map_err(io::Error::other),
        () = stop.everything.cancelled() => Ok(()),
    }
}

async fn last_requests(stop: &Stop) {
    stop.accepting.cancelled().await;
    tokio::time::sleep(LAST_REQUESTS).await;
}
