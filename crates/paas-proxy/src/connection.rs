use std::{convert::Infallible, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use http::Request;
use hyper::{
    body::Incoming,
    server::conn::{
        http1::{self, UpgradeableConnection},
        http2,
    },
    service::{HttpService, service_fn},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    body::{ClientBody, ResponseBody},
    door::{Admission, Door},
    forwarded::{Origin, Scheme},
    host::Host,
    io::{Activity, Guarded, Patience, Preface, Rewind, sniff},
    request_check::MAX_HEADER,
    service::Visitor,
    shared::{Shared, Stop},
    tls::{ACME, handshake},
};

const MAX_STREAMS: u32 = 200;
const PING_INTERVAL: Duration = Duration::from_secs(20);
const READ_BUFFER: usize = 64 * 1024;
/// What one stream of HTTP/2 keeps of an answer that its client does not take.
const SEND_BUFFER: usize = 64 * 1024;

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
    let activity = Arc::new(Activity::default());
    let stream = Guarded::new(accepted.stream, Arc::clone(&activity), Patience::from(&shared.limits));
    let scheme = if tls.is_some() { Scheme::Https } else { Scheme::Http };
    let origin = Origin::new(accepted.client, accepted.listener, scheme);
    let visitor = |door| Visitor { shared: Arc::clone(&shared), origin, activity, door };
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
        () = visitor.shared.stop.last_requests() => None,
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
    let Some(mut stream) = handshake(tls, stream, &shared.stop).await? else { return Ok(()) };
    let (below, session) = stream.get_mut();
    let name = session.server_name().and_then(|name| Host::parse(name).ok());
    let certificate = name.as_ref().and_then(|name| shared.certificates.table().pattern(name));
    let visitor = visitor(Door::Https(Admission::new(name.as_ref(), certificate)));
    match session.alpn_protocol() {
        // The handshake was all that was asked.
        Some(ACME) => stream.shutdown().await,
        Some(b"h2") => {
            below.multiplex();
            over_http2(visitor, stream).await
        }
        _ => over_http1(visitor, stream).await,
    }
}

async fn over_http1<S>(visitor: Visitor, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::clone(&visitor.shared);
    let connection = http1().serve_connection(TokioIo::new(stream), answering(visitor)).with_upgrades();
    drive(connection, UpgradeableConnection::graceful_shutdown, &shared.stop).await
}

async fn over_http2<S>(visitor: Visitor, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::clone(&visitor.shared);
    let connection = http2().serve_connection(TokioIo::new(stream), answering(visitor));
    drive(connection, http2::Connection::graceful_shutdown, &shared.stop).await
}

fn answering(
    visitor: Visitor,
) -> impl HttpService<Incoming, ResBody = ResponseBody, Error = Infallible, Future: Send> {
    let visitor = Arc::new(visitor);
    service_fn(move |request: Request<Incoming>| Arc::clone(&visitor).answer(request.map(ClientBody::Hyper)))
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
        .max_send_buf_size(SEND_BUFFER)
        // WebSockets (RFC 8441).
        .enable_connect_protocol()
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
        () = stop.last_requests() => {}
    }
    graceful_shutdown(connection.as_mut());
    tokio::select! {
        outcome = connection => outcome.map_err(io::Error::other),
        () = stop.everything.cancelled() => Ok(()),
    }
}
