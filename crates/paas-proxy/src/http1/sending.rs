use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::Body;
use tokio::io::AsyncWrite;

use super::{error::Http1Error, pieces::Pieces, request_head::Written, trailers};
use crate::{progress::Progress, request_body::RequestBody};

/// A request on its way out.
#[derive(Debug)]
pub(super) struct Sending {
    pieces: Pieces,
    body: RequestBody,
    written: Written,
    /// Which trailers may follow it.
    announced: Vec<HeaderName>,
    /// The body has said that it has no more.
    ended: bool,
    /// Whether any byte of it was taken by the kernel.
    begun: bool,
}

/// Why it cannot go on.
#[derive(Debug)]
pub(super) enum Stuck {
    /// The target takes no more; it may have answered all the same.
    Target(io::Error),
    Client(Http1Error),
}

impl Sending {
    pub(super) fn new(head: Bytes, written: Written, announced: Vec<HeaderName>, body: RequestBody) -> Self {
        let ended = body.is_empty();
        Self { pieces: Pieces::new(head), body, written, announced, ended, begun: false }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn progress(&self) -> Option<&Arc<Progress>> {
        self.body.progress()
    }

    /// The body, with what was taken from it and not sent. For a request of which nothing was sent.
    pub(super) fn into_body(mut self) -> RequestBody {
        self.body.put_back(self.pieces.into_data());
        self.body
    }

    /// Writes what there is; ready once everything is written.
    pub(super) fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Stuck>> {
        loop {
            // The first piece of a body goes out together with the header, if it is there.
            let waits = !self.ended && self.pieces.has_room() && {
                self.poll_body(cx).map_err(Stuck::Client)?.is_pending()
            };
            if !self.pieces.is_empty() {
                ready!(self.pieces.poll_write(stream, cx)).map_err(Stuck::Target)?;
                self.begun = true;
            } else if waits {
                return Poll::Pending;
            } else if self.ended {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Takes the next piece of the body.
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, Http1Error> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else { return Ok(Poll::Pending) };
        match frame {
            Some(Err(error)) => return Err(Http1Error::ClientBody(error)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.take(data)?,
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.end(&trailers)?;
                    }
                }
            },
            None => self.end(&HeaderMap::new())?,
        }
        Ok(Poll::Ready(()))
    }

    fn take(&mut self, data: Bytes) -> Result<(), Http1Error> {
        match &mut self.written {
            Written::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(Http1Error::ClientLength)?;
                self.pieces.put(data);
            }
            Written::Chunked => self.pieces.put_chunk(data),
        }
        Ok(())
    }

    fn end(&mut self, trailers: &HeaderMap) -> Result<(), Http1Error> {
        self.ended = true;
        match self.written {
            Written::Length(0) => Ok(()),
            Written::Length(_) => Err(Http1Error::ClientLength),
            Written::Chunked => {
                self.pieces.end(trailers::end(trailers, &self.announced));
                Ok(())
            }
        }
    }
}
