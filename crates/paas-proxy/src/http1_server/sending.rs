use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::Body;
use tokio::io::AsyncWrite;

use crate::{
    body::BodyError,
    http1::{Pieces, end_of_chunks},
    outgoing::Outgoing,
};

/// An answer on its way out.
pub(super) struct Sending {
    pieces: Pieces,
    /// Until it has ended.
    body: Option<Outgoing>,
    is_chunked: bool,
    /// Which trailers may follow it.
    announced: Vec<HeaderName>,
    flushed: bool,
}

/// Why an answer was not sent to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("the client's connection broke")]
    Client(#[from] io::Error),
    #[error("the answer broke off")]
    Body(#[from] BodyError),
}

impl Sending {
    pub(super) fn new(
        head: Bytes,
        body: Option<Outgoing>,
        is_chunked: bool,
        announced: Vec<HeaderName>,
    ) -> Self {
        let mut sending = Self { pieces: Pieces::new(head), body, is_chunked, announced, flushed: false };
        sending.end_if_over();
        sending
    }

    /// Writes what there is; ready once everything is written.
    pub(super) fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError>> {
        loop {
            // The first piece of a body goes out together with the header, if it is there.
            let waits = self.pieces.has_room() && self.poll_body(cx)?.is_pending();
            if self.pieces.is_empty() {
                if !self.flushed {
                    ready!(Pin::new(&mut *stream).poll_flush(cx))?;
                    self.flushed = true;
                }
                if waits {
                    return Poll::Pending;
                } else if self.body.is_none() {
                    return Poll::Ready(Ok(()));
                }
            } else {
                ready!(self.pieces.poll_write(stream, cx))?;
                self.flushed = false;
            }
        }
    }

    /// Takes the next piece of the body.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, BodyError> {
        let Some(body) = &mut self.body else { return Ok(Poll::Ready(())) };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else { return Ok(Poll::Pending) };
        match frame.transpose()?.map(http_body::Frame::into_data) {
            Some(Ok(data)) if self.is_chunked => self.pieces.put_chunk(data),
            Some(Ok(data)) => self.pieces.put(data),
            Some(Err(frame)) => {
                if let Ok(trailers) = frame.into_trailers() {
                    self.end(&trailers);
                }
            }
            None => self.end(&HeaderMap::new()),
        }
        self.end_if_over();
        Ok(Poll::Ready(()))
    }

    /// Most bodies say so with their last piece. The end of one in chunks is a piece of its own.
    fn end_if_over(&mut self) {
        if !self.is_chunked && self.body.as_ref().is_some_and(Body::is_end_stream) {
            self.body = None;
        }
    }

    fn end(&mut self, trailers: &HeaderMap) {
        self.body = None;
        if self.is_chunked {
            self.pieces.end(end_of_chunks(trailers, &self.announced));
        }
    }
}
