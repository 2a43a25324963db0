use std::{
    io::{self, IoSlice, Write},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName};
use http_body::Body;
use tokio::io::AsyncWrite;

use super::{error::Http1Error, request_head::Written, trailers};
use crate::{progress::Progress, request_body::RequestBody};

const CHUNK_END: &[u8] = b"\r\n";

/// A request on its way out: what is left of its header, and of the piece of its body that is being written.
#[derive(Debug)]
pub(super) struct Sending {
    head: Bytes,
    body: RequestBody,
    written: Written,
    /// Which trailers may follow it.
    announced: Vec<HeaderName>,
    /// The body has said that it has no more.
    ended: bool,
    size_line: SizeLine,
    data: Bytes,
    after: Bytes,
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
        Self {
            head,
            body,
            written,
            announced,
            ended,
            size_line: SizeLine::default(),
            data: Bytes::new(),
            after: Bytes::new(),
            begun: false,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn progress(&self) -> Option<&Arc<Progress>> {
        self.body.progress()
    }

    /// The body, with what was taken from it and not sent. For a request of which nothing was sent.
    pub(super) fn into_body(mut self) -> RequestBody {
        self.body.put_back(self.data);
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
            let waits = !self.ended && self.data.is_empty() && self.after.is_empty() && {
                self.poll_body(cx).map_err(Stuck::Client)?.is_pending()
            };
            if self.has_bytes() {
                let count = ready!(self.poll_write(stream, cx)).map_err(Stuck::Target)?;
                self.begun |= count > 0;
                self.advance(count);
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
            }
            // An empty chunk would be the last one.
            Written::Chunked if data.is_empty() => return Ok(()),
            Written::Chunked => {
                self.size_line = SizeLine::new(data.len());
                self.after = Bytes::from_static(CHUNK_END);
            }
        }
        self.data = data;
        Ok(())
    }

    fn end(&mut self, trailers: &HeaderMap) -> Result<(), Http1Error> {
        self.ended = true;
        match self.written {
            Written::Length(0) => Ok(()),
            Written::Length(_) => Err(Http1Error::ClientLength),
            Written::Chunked => {
                self.after = trailers::end(trailers, &self.announced);
                Ok(())
            }
        }
    }

    fn has_bytes(&self) -> bool {
        self.head.has_remaining() || self.data.has_remaining() || self.after.has_remaining()
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        if !self.data.has_remaining() && !self.after.has_remaining() {
            return stream.poll_write(cx, &self.head);
        }
        let parts = [
            IoSlice::new(&self.head),
            IoSlice::new(self.size_line.left()),
            IoSlice::new(&self.data),
            IoSlice::new(&self.after),
        ];
        stream.poll_write_vectored(cx, &parts)
    }

    fn advance(&mut self, mut count: usize) {
        let mut part = |length: usize| {
            let taken = length.min(count);
            count -= taken;
            taken
        };
        self.head.advance(part(self.head.len()));
        self.size_line.advance(part(self.size_line.left().len()));
        self.data.advance(part(self.data.len()));
        self.after.advance(part(self.after.len()));
    }
}

/// The line before a chunk.
#[derive(Debug, Default)]
struct SizeLine {
    text: [u8; 18],
    from: usize,
    to: usize,
}

impl SizeLine {
    fn new(size: usize) -> Self {
        let mut text = [0; 18];
        let mut rest = &mut text[..];
        // 16 digits and a line end always fit.
        let _ = write!(rest, "{size:x}\r\n");
        let to = 18 - rest.len();
        Self { text, from: 0, to }
    }

    fn left(&self) -> &[u8] {
        self.text.get(self.from..self.to).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.from += count;
    }
}
