use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::{
    compression::{Compressed, CompressedError, Encoder},
    h2c::Stream,
    io::Busy,
    progress::{AnswerEnd, Progress},
    record::Record,
    target::{Claim, Target},
    target_body::{TargetBody, TargetBodyError},
};

/// What an answer holds until its last byte: the count on the target, and its place on a connection that is shared with others.
#[derive(Debug)]
pub(crate) struct Lease {
    target: Arc<Target>,
    /// Held, never read.
    #[allow(dead_code)]
    count: Count,
    /// Held, never read.
    #[allow(dead_code)]
    stream: Option<Stream>,
}

/// Counts on the target until it is dropped.
#[derive(Debug)]
enum Count {
    Answer {
        /// Held, never read.
        #[allow(dead_code)]
        claim: Claim,
    },
    /// What is left of the request after the answer, too.
    Both {
        /// Held, never read.
        #[allow(dead_code)]
        end: AnswerEnd,
    },
}

impl Lease {
    /// `progress` is that of the request's body, if it has one.
    pub(crate) fn new(claim: Claim, stream: Option<Stream>, progress: Option<Arc<Progress>>) -> Self {
        let target = Arc::clone(claim.target());
        let count = match progress {
            Some(progress) => Count::Both { end: progress.answered(claim) },
            None => Count::Answer { claim },
        };
        Self { target, count, stream }
    }

    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.target
    }
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
            self.incoming.give_back(lease.target());
        }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lease) = &self.lease else { return Poll::Pending };
        let token = lease.target().cut();
        self.cut.get_or_insert_with(|| Box::pin(token.clone().cancelled_owned())).as_mut().poll(cx)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.lease.as_ref().is_some_and(|lease| lease.target().is_cut()) {
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
                    self.incoming.give_back(lease.target());
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
