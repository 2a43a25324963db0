use std::{io, sync::Arc};

use rustls::ServerConfig;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    io::{ClientSocket, Guarded},
    shared::Shared,
};

/// An encrypted connection. The deadlines are below the encryption: a handshake, a record and an answer that the client does
/// not take all stand under them.
pub(crate) type Tls = TlsStream<Guarded<ClientSocket>>;

/// Completes the handshake within the time of a header. `None` when the client should not be served: it had sent nothing when
/// the proxy ended.
pub(crate) async fn handshake(
    config: Arc<ServerConfig>,
    stream: Guarded<ClientSocket>,
    shared: &Shared,
) -> io::Result<Option<Tls>> {
    let mut accept = TlsAcceptor::from(config).accept(stream);
    tokio::select! {
        done = &mut accept => return done.map(Some),
        () = shared.last_requests() => {}
    }
    if accept.get_ref().is_some_and(|stream| !stream.has_read()) {
        return Ok(None);
    }
    // It thinks it is connected, and its first request comes a round trip later.
    tokio::select! {
        done = accept => done.map(Some),
        () = shared.stop.everything.cancelled() => Ok(None),
    }
}
