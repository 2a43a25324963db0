use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    os::fd::AsFd,
    pin::Pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use hyper::{
    body::Incoming,
    server::conn::http1::{self, Parts, UpgradeableConnection},
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    client_body::ClientBody,
    door::{Admission, Door},
    forwarded::{Origin, Scheme},
    host::Host,
    io::{Activity, Guarded, Patience, Preface, Rewind, SpareTimers, sniff},
    multiplexed,
    outgoing::Outgoing,
    request_check::MAX_HEADER,
    service::Visitor,
    shared::Shared,
    tls::{ACME, handshake},
};

/// After so long without a request a client is resting.
const REST: Duration = Duration::from_secs(1);
/// A whole header, and what is written of an answer at one time.
const READ_BUFFER: usize = 40 * 1024;

/// One accepted connection.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    /// The other end.
    pub(crate) client: SocketAddr,
    /// Our end.
    pub(crate) listener: SocketAddr,
}

/// Serves one client until its connection ends; encrypted if there are settings for it.
pub(crate) async fn serve(shared: Arc<Shared>, accepted: Accepted, tls: Option<Arc<ServerConfig>>) {
    let Some(_place) = shared.admit(accepted.client.ip()) else {
        tracing::debug!(client = %accepted.client.ip(), "a client has too many connections");
        return;
    };
    let activity = Arc::new(Activity::default());
    let stream = Guarded::new(accepted.stream, Arc::clone(&activity), Patience::from(&shared.limits))
        .on_socket(AsFd::as_fd);
    let scheme = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    let origin = Origin::new(accepted.client, accepted.listener, scheme);
    let visitor = |door| Visitor {
        shared: Arc::clone(&shared),
        origin,
        activity,
        timers: SpareTimers::default(),
        door,
    };
    let outcome = match tls {
        None => plain(visitor(Door::Http), stream).await,
        // Boxed, or every plain connection would be as large.
        Some(tls) => Box::pin(encrypted(&shared, visitor, stream, tls)).await,
    };
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "a client's connection ended");
    }
}

async fn plain(visitor: Visitor, mut stream: Guarded<TcpStream>) -> io::Result<()> {
    let sniffed = tokio::select! {
        sniffed = sniff(&mut stream) => sniffed?,
        () = visitor.shared.last_requests() => None,
    };
    match sniffed {
        None => Ok(()),
        Some((Preface::Http1, read)) => over_http1(visitor, Rewind::new(read, stream)).await,
        Some((Preface::Http2, read)) => {
            stream.multiplex();
            over_http2(visitor, Rewind::new(read, stream)).await
        }
    }
}

async fn encrypted(
    shared: &Shared,
    visitor: impl FnOnce(Door) -> Visitor,
    stream: Guarded<TcpStream>,
    tls: Arc<ServerConfig>,
) -> io::Result<()> {
    let shaken = handshake(tls, stream, shared).await.inspect_err(|_| {
        shared.counters.handshakes_failed.fetch_add(1, Relaxed);
    });
    let Some(mut stream) = shaken? else { return Ok(()) };
    let (below, session) = stream.get_mut();
    let name = session.server_name().and_then(|name| Host::parse(name).ok());
    let visitor = visitor(Door::Https(Admission::new(name.as_ref(), &shared.certificates)));
    match session.alpn_protocol() {
        // The handshake was all that was asked.
        Some(ACME) => stream.shutdown().await,
        Some(b"h2") => {
            below.multiplex();
            over_http2(visitor, stream).await
        }
        _ => over_http1(visitor, Rewind::new(Bytes::new(), stream)).await,
    }
}

/// Serves a client, and between its requests, if that takes longer, keeps no more of it than its stream: what HTTP/1.1 needs for a
/// request are several buffers.
async fn over_http1<S>(visitor: Visitor, mut stream: Rewind<S>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let visitor = Arc::new(visitor);
    let (shared, activity) = (Arc::clone(&visitor.shared), Arc::clone(&visitor.activity));
    loop {
        let service = answering(Arc::clone(&visitor));
        let connection = http1().serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut connection = Box::pin(connection);
        let driven = drive(connection.as_mut(), UpgradeableConnection::graceful_shutdown, &shared, &activity);
        tokio::select! {
            biased;
            outcome = driven => return outcome,
            () = activity.at_rest(REST) => {}
        }
        let Some(parts) = Pin::into_inner(connection).into_parts() else { return Ok(()) };
        stream = rested(parts);
        tokio::select! {
            biased;
            // What has come is served, also when the proxy is to end.
            readable = stream.readable() => if !readable? { return Ok(()) },
            () = shared.last_requests() => return stream.shutdown().await,
        }
    }
}

/// The stream alone, with what was read of the next request. Everything else is freed before anybody waits.
fn rested<S: AsyncRead + Unpin, T>(parts: Parts<TokioIo<Rewind<S>>, T>) -> Rewind<S> {
    let mut stream = parts.io.into_inner();
    stream.put_back(&parts.read_buf);
    stream
}

async fn over_http2<S>(visitor: Visitor, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let visitor = Arc::new(visitor);
    let (shared, activity) = (Arc::clone(&visitor.shared), Arc::clone(&visitor.activity));
    let connection = multiplexed::builder(shared.limits.stall_timeout)
        .serve_connection(TokioIo::new(stream), answering(visitor));
    Box::pin(multiplexed::drive(connection, &activity, &shared.stop)).await
}

fn answering(
    visitor: Arc<Visitor>,
) -> impl HttpService<Incoming, ResBody = Outgoing, Error = Infallible, Future: Send> {
    service_fn(move |request: Request<Incoming>| {
        let visitor = Arc::clone(&visitor);
        async move {
            let shared = Arc::clone(&visitor.shared);
            let request = ClientBody::of(request, &visitor.activity);
            let response = visitor.answer(request).await?;
            Ok(Outgoing::response(response, &shared.stop.tunnels))
        }
    })
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

/// Runs a connection of HTTP/1.1 to its end. At a shutdown it carries the request under way, then ends.
async fn drive<C>(
    mut connection: Pin<&mut C>,
    graceful_shutdown: impl FnOnce(Pin<&mut C>),
    shared: &Shared,
    activity: &Activity,
) -> io::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut last_requests = std::pin::pin!(shared.last_requests());
    let mut listens = false;
    let begun = poll_fn(|cx| {
        if let Poll::Ready(outcome) = connection.as_mut().poll(cx) {
            return Poll::Ready(Some(outcome));
        }
        // Once is enough until the shutdown begins, which wakes this task: to ask a token takes a lock that all connections share.
        if listens && !shared.stop.has_begun() {
            return Poll::Pending;
        }
        listens = true;
        last_requests.as_mut().poll(cx).map(|()| None)
    });
    if let Some(outcome) = begun.await {
        return outcome.map_err(io::Error::other);
    }
    // Told to end, hyper drops what it has not written of an answer. Those that begin now say that the connection ends with them.
    tokio::select! {
        biased;
        outcome = connection.as_mut() => return outcome.map_err(io::Error::other),
        () = activity.quiet() => {}
        () = shared.stop.everything.cancelled() => return Ok(()),
    }
    graceful_shutdown(connection.as_mut());
    tokio::select! {
        outcome = connection => outcome.map_err(io::Error::other),
        () = shared.stop.everything.cancelled() => Ok(()),
    }
}
