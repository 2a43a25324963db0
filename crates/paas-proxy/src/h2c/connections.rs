use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::task::AtomicWaker;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http2::{Builder, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::{connect_error::ConnectError, request_body::RequestBody};

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
    allowed: Allowed,
}

/// How many streams the target allows on one connection, by its newest settings. More would wait inside the library, unseen. One
/// is always tried: who allows none now may later.
#[derive(Debug, Clone)]
struct Allowed(Arc<AtomicUsize>);

impl Default for Allowed {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(MAX_STREAMS)))
    }
}

impl Allowed {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed).clamp(1, MAX_STREAMS)
    }

    fn set(&self, allowed: usize) {
        self.0.store(allowed, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
struct Open {
    connections: Vec<Arc<Connection>>,
    closed: bool,
}

/// What became of a request that got no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// Not a byte of it was sent: it can go elsewhere.
    Unsent(Box<Request<RequestBody>>, hyper::Error),
    /// It may have been read and acted upon.
    Lost(hyper::Error),
}

#[derive(Debug)]
struct Connection {
    sender: SendRequest<RequestBody>,
    streams: AtomicUsize,
    /// Set when the target takes up no more streams on it.
    spent: AtomicBool,
    /// Wakes whoever looks at the target's settings; used once, when they have come for sure.
    look: Arc<AtomicWaker>,
    answered: AtomicBool,
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
                None => Ok(self.keep(connect(address, self.allowed.clone()).await?)),
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
        let allowed = self.allowed.get();
        open.connections.iter().find(|connection| connection.has_room(allowed)).map(Stream::new)
    }

    fn keep(&self, connection: Connection) -> Stream {
        let connection = Arc::new(connection);
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

    fn has_room(&self, allowed: usize) -> bool {
        self.streams.load(Ordering::Acquire) < allowed
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

    pub(super) async fn send(&self, request: Request<RequestBody>) -> Result<Response<Incoming>, SendError> {
        let mut sender = self.0.sender.clone();
        let answer = sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => SendError::Unsent(Box::new(request), error.into_error()),
            None => SendError::Lost(error.into_error()),
        });
        if !self.0.answered.swap(true, Ordering::Relaxed) {
            self.0.look.wake();
        }
        answer
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

async fn connect(address: SocketAddr, allowed: Allowed) -> Result<Connection, ConnectError> {
    let stream = TcpStream::connect(address).await.map_err(ConnectError::Refused)?;
    stream.set_nodelay(true).map_err(ConnectError::Refused)?;
    let (sender, mut connection) = Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(WINDOW)
        // Until its settings have come.
        .initial_max_send_streams(allowed.get())
        .max_header_list_size(MAX_HEADER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(ConnectError::Handshake)?;
    let look = Arc::new(AtomicWaker::new());
    let looking = Arc::clone(&look);
    tokio::spawn(async move {
        let driven = poll_fn(|cx| {
            looking.register(cx.waker());
            let outcome = Pin::new(&mut connection).poll(cx);
            allowed.set(connection.current_max_send_streams());
            outcome
        });
        if let Err(error) = driven.await {
            tracing::trace!(error = %error, "a connection to a target ended");
        }
    });
    Ok(Connection {
        sender,
        streams: AtomicUsize::new(0),
        spent: AtomicBool::new(false),
        look,
        answered: AtomicBool::new(false),
    })
}
