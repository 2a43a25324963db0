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
    buffering::WholeBody,
    compression::{Compressed, CompressedError, Encoder},
    failure::Failure,
    h2c::Stream,
    http3::{Http3Body, Http3BodyError},
    io::Busy,
    linger::linger,
    record::Record,
    target::Claim,
    target_body::{TargetBody, TargetBodyError},
};

/// How far the client's side of a request has come.
#[derive(Debug)]
pub(crate) struct Progress {
    begin: Instant,
    last: AtomicU64,
    waiting_for_client: AtomicBool,
    broken: AtomicBool,
    too_large: AtomicBool,
    passed: AtomicU64,
}

impl Progress {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            last: AtomicU64::new(0),
            waiting_for_client: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            too_large: AtomicBool::new(false),
            passed: AtomicU64::new(0),
        })
    }

    /// When the last byte of the body came, or the target began to wait for the next.
    pub(crate) fn last(&self) -> Instant {
        self.begin + std::time::Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// True when the target asked for bytes that the client has not sent.
    pub(crate) fn is_waiting_for_client(&self) -> bool {
        self.waiting_for_client.load(Ordering::Relaxed)
    }

    /// What the client did wrong, if it is its fault that a target got no whole request: it went away, its framing is wrong, or it
    /// sent too much.
    pub(crate) fn fault(&self) -> Option<Failure> {
        if self.too_large.load(Ordering::Relaxed) {
            return Some(Failure::BodyTooLarge);
        }
        self.broken.load(Ordering::Relaxed).then_some(Failure::BrokenBody)
    }

    /// Remembers whether the target waits for the client.
    fn wait(&self, waiting: bool) {
        if self.waiting_for_client.swap(waiting, Ordering::Relaxed) != waiting && waiting {
            self.mark();
        }
    }

    /// How many bytes of the body went on to a target.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
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
    #[error("the body is larger than the service takes")]
    TooLarge,
    #[error("the buffered body could not be read")]
    Buffer(#[from] std::io::Error),
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

/// The body sent to a target: none, the client's as it comes, or one that was read whole before.
#[derive(Debug, Default)]
pub(crate) enum RequestBody {
    #[default]
    Empty,
    Streaming {
        incoming: ClientBody,
        progress: Arc<Progress>,
        /// Taken from the client and not sent.
        ahead: Bytes,
        /// How many bytes may still come, when the length was not told and so not looked at before.
        left: Option<u64>,
    },
    Whole {
        body: WholeBody,
        progress: Arc<Progress>,
    },
}

impl RequestBody {
    /// `max` is the largest that is taken, in bytes; a length that was told is within it.
    pub(crate) fn new(incoming: ClientBody, max: u64) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        let left = incoming.size_hint().exact().is_none().then_some(max);
        Self::Streaming { incoming, progress: Progress::new(), ahead: Bytes::new(), left }
    }

    pub(crate) fn whole(body: WholeBody) -> Self {
        Self::Whole { body, progress: Progress::new() }
    }

    /// The same body from its beginning; `None` when it comes but once.
    pub(crate) fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Streaming { .. } => None,
            Self::Whole { body, progress } => {
                Some(Self::Whole { body: body.again(), progress: Arc::clone(progress) })
            }
        }
    }

    /// The client's body, if it is still to come.
    pub(crate) fn into_client(self) -> Option<ClientBody> {
        match self {
            Self::Streaming { incoming, .. } => Some(incoming),
            Self::Empty | Self::Whole { .. } => None,
        }
    }

    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self, Self::Streaming { .. })
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Gives back what was taken from it, when nothing of it was sent.
    pub(crate) fn put_back(&mut self, data: Bytes) {
        match self {
            Self::Empty => {}
            Self::Streaming { ahead, .. } => *ahead = data,
            Self::Whole { body, .. } => *body = body.again(),
        }
    }

    pub(crate) fn progress(&self) -> Option<Arc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Streaming { progress, .. } | Self::Whole { progress, .. } => Some(Arc::clone(progress)),
        }
    }

    /// Ends a body that went beyond its limit.
    fn overflow(&mut self) -> ClientBodyError {
        if let Self::Streaming { incoming, progress, .. } = std::mem::replace(self, Self::Empty) {
            progress.too_large.store(true, Ordering::Relaxed);
            tokio::spawn(linger(incoming));
        }
        ClientBodyError::TooLarge
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let (incoming, progress, ahead, left) = match &mut *self {
            Self::Empty => return Poll::Ready(None),
            Self::Streaming { incoming, progress, ahead, left } => (incoming, progress, ahead, left),
            Self::Whole { body, progress } => {
                progress.mark();
                return Pin::new(body).poll_frame(cx).map_err(ClientBodyError::from);
            }
        };
        if !ahead.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(ahead)))));
        }
        let polled = Pin::new(incoming).poll_frame(cx);
        progress.wait(polled.is_pending());
        let frame = ready!(polled);
        progress.mark();
        match &frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                progress.passed.fetch_add(length, Ordering::Relaxed);
                if let Some(left) = left {
                    match left.checked_sub(length) {
                        Some(rest) => *left = rest,
                        None => return Poll::Ready(Some(Err(self.overflow()))),
                    }
                }
            }
            Some(Err(_)) => progress.broken.store(true, Ordering::Relaxed),
            None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streaming { incoming, ahead, .. } => ahead.is_empty() && incoming.is_end_stream(),
            Self::Whole { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streaming { incoming, ahead, .. } => longer(&incoming.size_hint(), ahead.len() as u64),
            Self::Whole { body, .. } => body.size_hint(),
        }
    }
}

fn longer(hint: &SizeHint, by: u64) -> SizeHint {
    let mut longer = SizeHint::new();
    longer.set_lower(hint.lower() + by);
    if let Some(upper) = hint.upper() {
        longer.set_upper(upper + by);
    }
    longer
}

/// What an answer holds until its last byte: the count on the target, and its place on a connection that is shared with others.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) claim: Claim,
    /// Held, never read.
    #[allow(dead_code)]
    pub(crate) stream: Option<Stream>,
}

/// Why an answer was cut short. The client sees a connection that breaks, never a body that looks complete.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the target broke off its answer")]
    Target(#[source] TargetBodyError),
    #[error("cut at the end of the drain")]
    Cut,
    #[error("the answer could not be compressed")]
    Compression(#[source] std::io::Error),
}

/// The body sent to the client.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    content: Content,
    /// Held, never read.
    #[allow(dead_code)]
    busy: Option<Busy>,
    record: Option<Record>,
}

#[derive(Debug)]
enum Content {
    Own(Full<Bytes>),
    Target(Streaming),
    Compressed(Box<Compressed<Streaming>>),
}

impl ResponseBody {
    /// One of our own pages.
    pub(crate) fn own(bytes: Bytes) -> Self {
        Self { content: Content::Own(Full::new(bytes)), busy: None, record: None }
    }

    /// A target's answer as it comes.
    pub(crate) fn target(incoming: TargetBody, lease: Lease) -> Self {
        let mut streaming = Streaming { incoming, lease: Some(lease), cut: None };
        streaming.finish_at_end();
        Self { content: Content::Target(streaming), busy: None, record: None }
    }

    /// Compresses a target's answer as it comes.
    pub(crate) fn compressed(mut self, encoder: Encoder) -> Self {
        self.content = match self.content {
            Content::Target(streaming) => Content::Compressed(Box::new(Compressed::new(streaming, encoder))),
            other => other,
        };
        self
    }

    /// Keeps the client's connection marked busy until the body's end.
    pub(crate) fn holding(mut self, busy: Busy) -> Self {
        self.busy = Some(busy);
        self
    }
}

impl ResponseBody {
    /// Remembers the request until the body's end.
    pub(crate) fn recording(mut self, mut record: Record) -> Self {
        // Our own pages are small and may not be read at all, as in the answer to a HEAD.
        if matches!(self.content, Content::Own(_)) || self.is_end_stream() {
            record.is_whole();
        }
        self.record = Some(record);
        self
    }

    fn note(&mut self, frame: Option<&Frame<Bytes>>) {
        let at_end = frame.is_none() || self.is_end_stream();
        let Some(record) = &mut self.record else { return };
        record.sent(frame.and_then(Frame::data_ref).map_or(0, Bytes::len));
        if at_end {
            record.is_whole();
        }
    }
}

struct Streaming {
    incoming: TargetBody,
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
            self.incoming.give_back(lease.claim.target());
        }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lease) = &self.lease else { return Poll::Pending };
        let token = lease.claim.target().cut();
        self.cut.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned())).as_mut().poll(cx)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.lease.as_ref().is_some_and(|lease| lease.claim.target().is_cut()) {
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
                    self.incoming.give_back(lease.claim.target());
                }
                Poll::Ready(None)
            }
        }
    }
}

impl Body for Streaming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.poll(cx)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(match &mut self.content {
            Content::Own(full) => Pin::new(full).poll_frame(cx).map_err(|never| match never {}),
            Content::Target(streaming) => streaming.poll(cx),
            Content::Compressed(body) => body.poll_frame(cx).map_err(|error| match error {
                CompressedError::Source(error) => error,
                CompressedError::Encoder(error) => BodyError::Compression(error),
            }),
        });
        if let Ok(frame) = frame.as_ref().map(Result::as_ref).transpose() {
            self.note(frame);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(full) => full.is_end_stream(),
            Content::Target(streaming) => streaming.incoming.is_end_stream(),
            Content::Compressed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(full) => full.size_hint(),
            Content::Target(streaming) => streaming.incoming.size_hint(),
            Content::Compressed(_) => SizeHint::default(),
        }
    }
}
