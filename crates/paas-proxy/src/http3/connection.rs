use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use h3::{
    error::{Code, ConnectionError},
    quic::{RecvStream, SendStream},
    server::{Connection, RequestResolver},
};
use quinn::{VarInt, crypto::rustls::HandshakeData};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    exchange::exchange,
    meter::{Latest, MeteredConnection},
};
use crate::{
    door::{Admission, Door},
    forwarded::{Origin, Scheme},
    host::Host,
    io::Activity,
    request_check::MAX_HEADER,
    service::Visitor,
    shared::Shared,
};

/// How long a client that was told to go may take to confirm the last answer and close.
const LAST_BYTES: Duration = Duration::from_secs(1);

pub(super) type Resolver = RequestResolver<MeteredConnection, Bytes>;

/// Serves one client until its connection ends.
pub(super) async fn serve(shared: Arc<Shared>, connection: quinn::Connection, listener: SocketAddr) {
    let visitor = Arc::new(visitor(&shared, &connection, listener));
    let outcome = drive(&shared, &visitor, connection.clone()).await;
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "a client's connection ended");
    }
    connection.close(code(Code::H3_NO_ERROR), b"");
}

fn visitor(shared: &Arc<Shared>, connection: &quinn::Connection, listener: SocketAddr) -> Visitor {
    let data = connection.handshake_data().and_then(|data| data.downcast::<HandshakeData>().ok());
    let name = data.and_then(|data| data.server_name);
    let name = name.as_deref().and_then(|name| Host::parse(name).ok());
    Visitor {
        shared: Arc::clone(shared),
        origin: Origin::new(connection.remote_address(), listener, Scheme::Https),
        activity: Arc::new(Activity::default()),
        timers: Arc::default(),
        door: Door::Https(Admission::new(name.as_ref(), &shared.certificates)),
    }
}

async fn drive(
    shared: &Arc<Shared>,
    visitor: &Arc<Visitor>,
    quic: quinn::Connection,
) -> Result<(), ConnectionError> {
    let (metered, latest) = MeteredConnection::new(quic.clone());
    let mut connection = h3::server::builder()
        .max_field_section_size(MAX_HEADER as u64)
        .send_grease(false)
        .build::<_, Bytes>(metered)
        .await?;
    let mut requests = JoinSet::new();
    let mut idle_since = Instant::now();
    let mut last_requests = std::pin::pin!(shared.stop.last_requests());
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted? {
                Some(resolver) => begin(visitor, &latest, resolver, &mut requests),
                None => return Ok(()),
            },
            Some(_) = requests.join_next() => idle_since = Instant::now(),
            () = &mut last_requests => break,
            () = sleep_until(idle_since + shared.limits.idle_timeout), if requests.is_empty() => break,
            () = shared.stop.everything.cancelled() => return Ok(()),
        }
    }
    tokio::select! {
        outcome = go_away(&mut connection, &mut requests) => outcome,
        () = shared.stop.everything.cancelled() => {
            // First, so that no answer that is cut ends in good order.
            quic.close(code(Code::H3_INTERNAL_ERROR), b"");
            Ok(())
        }
    }
}

fn begin(visitor: &Arc<Visitor>, latest: &Latest, resolver: Resolver, requests: &mut JoinSet<()>) {
    if let Some(meter) = latest.take() {
        requests.spawn(exchange(Arc::clone(visitor), resolver, meter));
    }
}

/// Tells the client to send no more requests here and serves those it has sent (RFC 9114, 5.2). Then waits for it to close: to
/// close first would take back what it has not confirmed, and leave it in doubt about what it has sent meanwhile.
async fn go_away(
    connection: &mut Connection<MeteredConnection, Bytes>,
    requests: &mut JoinSet<()>,
) -> Result<(), ConnectionError> {
    // The library says with 0 that the last request was not served either.
    connection.shutdown(1).await?;
    let mut done_since = Instant::now();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted? {
                Some(resolver) => reject(resolver),
                None => return Ok(()),
            },
            Some(_) = requests.join_next() => done_since = Instant::now(),
            () = sleep_until(done_since + LAST_BYTES), if requests.is_empty() => return Ok(()),
        }
    }
}

/// The client may send it again elsewhere: nothing was done.
fn reject(mut resolver: Resolver) {
    let code = Code::H3_REQUEST_REJECTED.value();
    resolver.frame_stream.stream.stop_sending(code);
    resolver.frame_stream.reset(code);
}

fn code(code: Code) -> VarInt {
    VarInt::from_u64(code.value()).unwrap_or_default()
}
