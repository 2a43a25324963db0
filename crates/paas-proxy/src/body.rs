use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::{
    h2c::Stream,
    http3::{Http3Body, Http3BodyError},
    io::Busy,
    target::Claim,
    upstream::Connection,
};

/// How far the client's side of a request has come.
#[derive(Debug)]
pub(crate) struct Progress {
    begin: Instant,
    last: AtomicU64,
    waiting_for_client: AtomicBool,
    broken: AtomicBool,
}

impl Progress {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            last: AtomicU64::new(0),
            waiting_for_client: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        })
    }

    /// When the last byte of the body came.
    pub(crate) fn last(&self) -> Instant {
        self.begin + std::time::Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// True when the target asked for bytes that the client has not sent.
    pub(crate) fn is_waiting_for_client(&self) -> bool {
        self.waiting_for_client.load(Ordering::Relaxed)
    }

    /// True when the client's body ended badly: the client went away or its framing is wrong.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    fn mark(&self) {
        let millis = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }
}

/// A request's body as it comes from the client.
#[derive(Debug)]
pub(crate) enum ClientBody {
    /// Over HTTP/1.1 or HTTP/2.
    Hyper(Incoming),
    Http3(Box<Http3Body>),
}

/// Why a request's body ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientBodyError {
    #[error(transparent)]
    Hyper(#[from] hyper::Error),
    #[error(transparent)]
    Http3(#[from] Http3BodyError),
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        match &mut *self {
            Self::Hyper(body) => Pin::new(body).poll_frame(cx).map_err(ClientBodyError::from),
            Self::Http3(body) => Pin::new(&mut **body).poll_frame(cx).map_err(ClientBodyError::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Hyper(body) => body.is_end_stream(),
            Self::Http3(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Hyper(body) => body.size_hint(),
            Self::Http3(body) => body.size_hint(),
        }
    }
}

/// The body sent to a target: none, or the client's as it comes.
#[derive(Debug)]
pub(crate) enum RequestBody {
    Empty,
    Streaming { incoming: ClientBody, progress: Arc<Progress> },
}

impl RequestBody {
    pub(crate) fn new(incoming: ClientBody) -> Self {
        if incoming.is_end_stream() {
            Self::Empty
        } else {
            Self::Streaming { incoming, progress: Progress::new() }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Streaming { progress, .. } => Some(Arc::clone(progress)),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let Self::Streaming { incoming, progress } = &mut *self else { return Poll::Ready(None) };
        let polled = Pin::new(incoming).poll_frame(cx);
        progress.waiting_for_client.store(polled.is_pending(), Ordering::Relaxed);
        let frame = ready!(polled);
        progress.mark();
        if let Some(Err(_)) = &frame {
            progress.broken.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streaming { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streaming { incoming, .. } => incoming.size_hint(),
        }
    }
}

/// What an answer holds until its last byte: the count on the target, and the connection to give back.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) claim: Claim,
    pub(crate) carrier: Carrier,
}

/// What an answer comes over.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// A connection of its own.
    Connection(Connection),
    /// A connection shared with others. Held, never read.
    Stream(#[allow(dead_code)] Stream),
}

impl Lease {
    /// The answer was read to its end.
    fn finish(self) {
        let Self { claim, carrier } = self;
        if let Carrier::Connection(connection) = carrier {
            connection.recycle(Arc::clone(claim.target()));
        }
    }
}

/// Why an answer was cut short. The client sees a connection that breaks, never a body that looks complete.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the target broke off its answer")]
    Target(#[source] hyper::Error),
    #[error("cut at the end of the drain")]
    Cut,
}

/// The body sent to the client.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    /// Held, never read.
    #[allow(dead_code)]
    busy: Option<Busy>,
}

#[derive(Debug)]
enum Content {
    Own(Full<Bytes>),
    Target(Streaming),
}

impl ResponseBody {
    /// One of our own pages.
    pub(crate) fn own(bytes: Bytes) -> Self {
        Self { content: Content::Own(Full::new(bytes)), busy: None }
    }

    /// A target's answer as it comes.
    pub(crate) fn target(incoming: Incoming, lease: Lease) -> Self {
        let mut streaming = Streaming { incoming, lease: Some(lease), cut: None };
        streaming.finish_at_end();
        Self { content: Content::Target(streaming), busy: None }
    }

    /// Keeps the client's connection marked busy until the body's end.
    pub(crate) fn holding(mut self, busy: Busy) -> Self {
        self.busy = Some(busy);
        self
    }
}

struct Streaming {
    incoming: Incoming,
    lease: Option<Lease>,
    /// Made when the target first keeps us waiting: most answers never do.
    cut: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl std::fmt::Debug for Streaming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streaming").field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl Streaming {
    fn finish_at_end(&mut self) {
        // hyper does not poll a body again that says it is at its end.
        if self.incoming.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.finish();
        }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lease) = &self.lease else { return Poll::Pending };
        let token = lease.claim.target().cut();
        self.cut.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned())).as_mut().poll(cx)
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.lease.as_ref().is_some_and(|lease| lease.claim.target().cut().is_cancelled()) {
            self.lease = None;
            return Poll::Ready(Some(Err(BodyError::Cut)));
        }
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Pending => {
                ready!(self.poll_cut(cx));
                self.lease = None;
                Poll::Ready(Some(Err(BodyError::Cut)))
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.finish_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.lease = None;
                Poll::Ready(Some(Err(BodyError::Target(error))))
            }
            Poll::Ready(None) => {
                if let Some(lease) = self.lease.take() {
                    lease.finish();
                }
                Poll::Ready(None)
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.content {
            Content::Own(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
            Content::Target(streaming) => streaming.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(full) => full.is_end_stream(),
            Content::Target(streaming) => streaming.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(full) => full.size_hint(),
            Content::Target(streaming) => streaming.incoming.size_hint(),
        }
    }
}
