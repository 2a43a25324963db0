use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::{
    body::RequestBody,
    upstream::{ConnectError, SendError},
};

/// Streams on one connection before another is opened: what every server should allow (RFC 9113, 6.5.2). Calls that stay open
/// must not keep others waiting for their end.
const MAX_STREAMS: usize = 100;

/// What a target may send of one answer before the visitor takes it. The connection has room for as much of every stream: a
/// visitor who takes nothing holds up nobody else.
const STREAM_WINDOW: u32 = 256 * 1024;
const WINDOW: u32 = 100 * STREAM_WINDOW;

const MAX_HEADER: u32 = 64 * 1024;

/// A target that vanished without a word is noticed within twice this while requests wait for it.
const PING: Duration = Duration::from_secs(20);

/// The HTTP/2 connections to one target. A dead one is replaced by the next request.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    open: Mutex<Open>,
    /// Held while one is being opened, so that a burst of requests opens no burst of connections.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Open {
    connections: Vec<Arc<Connection>>,
    closed: bool,
}

#[derive(Debug)]
struct Connection {
    sender: SendRequest<RequestBody>,
    streams: AtomicUsize,
    /// Set when the target takes up no more streams on it.
    spent: AtomicBool,
}

impl Connections {
    /// A place for one request, on a new connection if all others are full or gone.
    pub(crate) async fn stream(
        &self,
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Stream, ConnectError> {
        if let Some(stream) = self.find() {
            return Ok(stream);
        }
        let opened = tokio::time::timeout(timeout, async {
            let _one_at_a_time = self.opening.lock().await;
            match self.find() {
                Some(stream) => Ok(stream),
                None => Ok(self.keep(connect(address).await?)),
            }
        });
        opened.await.map_err(|_| ConnectError::TimedOut(timeout))?
    }

    /// Gives up every connection once its streams have ended, and those opened later.
    pub(crate) fn close(&self) {
        *self.lock() = Open { connections: Vec::new(), closed: true };
    }

    fn find(&self) -> Option<Stream> {
        let mut open = self.lock();
        open.connections.retain(|connection| connection.is_usable());
        let free = |connection: &&Arc<Connection>| connection.streams.load(Ordering::Acquire) < MAX_STREAMS;
        open.connections.iter().find(free).map(Stream::new)
    }

    fn keep(&self, sender: SendRequest<RequestBody>) -> Stream {
        let connection =
            Arc::new(Connection { sender, streams: AtomicUsize::new(0), spent: AtomicBool::new(false) });
        let mut open = self.lock();
        let stream = Stream::new(&connection);
        if !open.closed {
            open.connections.push(connection);
        }
        stream
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn is_usable(&self) -> bool {
        !self.spent.load(Ordering::Acquire) && !self.sender.is_closed()
    }
}

/// One request's place on a connection, until the last byte of its answer.
#[derive(Debug)]
pub(crate) struct Stream(Arc<Connection>);

impl Stream {
    /// Counted under the lock of the connections, so that no more are counted than there may be.
    fn new(connection: &Arc<Connection>) -> Self {
        connection.streams.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(connection))
    }

    pub(crate) async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, SendError> {
        let mut sender = self.0.sender.clone();
        sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => SendError::Unsent(Box::new(request), error.into_error()),
            None => SendError::Lost(error.into_error()),
        })
    }

    /// The connection takes no new request; those under way go on.
    pub(crate) fn spend(&self) {
        self.0.spent.store(true, Ordering::Release);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<RequestBody>, ConnectError> {
    let stream = TcpStream::connect(address).await.map_err(ConnectError::Refused)?;
    stream.set_nodelay(true).map_err(ConnectError::Refused)?;
    let (sender, connection) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(MAX_HEADER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(ConnectError::Handshake)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::trace!(error = %error, "a connection to a target ended");
        }
    });
    Ok(sender)
}
