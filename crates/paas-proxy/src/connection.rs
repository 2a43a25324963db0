use std::{
    convert::Infallible,
    io,
    net::{self, SocketAddr},
    sync::{Arc, atomic::Ordering::Relaxed},
};

use http::Request;
use hyper::{
    body::Incoming,
    service::{HttpService, service_fn},
};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::{
    client_body::ClientBody,
    door::{Admission, Door},
    forwarded::{Origin, Scheme},
    host::Host,
    http1_server::{self, ClientStream, Protocol},
    io::{Activity, Calm, ClientSocket, Guarded, Patience, SpareTimers},
    multiplexed,
    outgoing::Outgoing,
    service::Visitor,
    shared::Shared,
    tls::{ACME, handshake},
};

/// One accepted connection.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: net::TcpStream,
    /// The other end.
    pub(crate) client: SocketAddr,
    /// Our end.
    pub(crate) listener: SocketAddr,
    /// Those of the runtime that serves it.
    pub(crate) timers: Arc<SpareTimers>,
}

/// Serves one client until its connection ends; encrypted if there are settings for it.
#[allow(clippy::manual_async_fn, reason = "it would keep what it is given twice, and connections are many")]
pub(crate) fn serve(
    shared: Arc<Shared>,
    accepted: Accepted,
    tls: Option<Arc<ServerConfig>>,
) -> impl Future<Output = ()> + Send {
    async move {
        let Some(_place) = shared.admit(accepted.client.ip()) else {
            tracing::debug!(client = %accepted.client.ip(), "a client has too many connections");
            return;
        };
        let scheme = if tls.is_some() { Scheme::Https } else { Scheme::Http };
        let origin = Origin::new(accepted.client, accepted.listener, scheme);
        let activity = Arc::new(Activity::default());
        let timers = accepted.timers;
        let visitor = |door| {
            let (shared, activity) = (Arc::clone(&shared), Arc::clone(&activity));
            Arc::new(Visitor { shared, origin, activity, timers, door })
        };
        let patience = Patience::from(&shared.limits);
        let socket = ClientSocket::new(accepted.socket);
        let stream = Guarded::new(socket, Arc::clone(&activity), patience).on_socket(ClientSocket::as_fd);
        let outcome = match tls {
            None => {
                http1_server::serve(visitor(Door::Http), ClientStream::Tcp(stream), Protocol::Unknown).await
            }
            // Boxed, or every plain connection would be as large.
            Some(tls) => Box::pin(encrypted(&shared, visitor, stream, tls)).await,
        };
        if let Err(error) = outcome {
            tracing::debug!(error = %error, "a client's connection ended");
        }
    }
}

async fn encrypted(
    shared: &Shared,
    visitor: impl FnOnce(Door) -> Arc<Visitor>,
    stream: Guarded<ClientSocket>,
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
        _ => {
            let stream = ClientStream::Tls(Box::new(stream));
            http1_server::serve(visitor, stream, Protocol::Http1).await
        }
    }
}

pub(crate) async fn over_http2<S>(visitor: Arc<Visitor>, stream: S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (shared, activity) = (Arc::clone(&visitor.shared), Arc::clone(&visitor.activity));
    let connection = multiplexed::builder(shared.limits.stall_timeout)
        .serve_connection(TokioIo::new(Calm::new(stream)), answering(visitor));
    Box::pin(multiplexed::drive(connection, &activity, &shared.stop)).await
}

fn answering(
    visitor: Arc<Visitor>,
) -> impl HttpService<Incoming, ResBody = Outgoing, Error = Infallible, Future: Send> {
    service_fn(move |request: Request<Incoming>| {
        let visitor = Arc::clone(&visitor);
        async move {
            let shared = Arc::clone(&visitor.shared);
            let request = request.map(|incoming| ClientBody::http2(incoming, &visitor.activity));
            let response = visitor.answer(request).await?;
            Ok(Outgoing::response(response, &shared.stop.tunnels))
        }
    })
}
