use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use h3::{error::StreamError, server::RequestStream};
use http_body::{Body, Frame, SizeHint};

use super::meter::{Meter, Metered};

type Stream = RequestStream<Metered<h3_quinn::RecvStream>, Bytes>;

/// Why a request's body ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Http3BodyError {
    #[error("the stream broke")]
    Stream(#[source] StreamError),
    #[error("the body is not as long as its Content-Length")]
    Length,
    #[error("frames without a body")]
    Flood,
}

/// A request's body as it comes over a stream of HTTP/3.
pub(crate) struct Http3Body {
    stream: Stream,
    meter: Arc<Meter>,
    /// A piece that was read to see whether there is any.
    first: Option<Frame<Bytes>>,
    /// What must still come, if the length was told.
    left: Option<u64>,
    part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Data,
    Trailers,
    End,
}

impl Http3Body {
    pub(super) fn new(stream: Stream, meter: Arc<Meter>, length: Option<u64>) -> Self {
        meter.stop();
        let part = if length == Some(0) { Part::End } else { Part::Data };
        Self { stream, meter, first: None, left: length, part }
    }

    /// Reads the first piece, so that a request without a body is known to be one.
    pub(super) async fn begin(&mut self) -> Result<(), Http3BodyError> {
        if self.part == Part::Data && self.first.is_none() {
            self.first = std::future::poll_fn(|cx| self.poll_next(cx)).await.transpose()?;
        }
        Ok(())
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Http3BodyError>>> {
        loop {
            if let Poll::Ready(frame) = self.poll_part(cx) {
                match frame {
                    None if self.part == Part::Data => self.part = Part::Trailers,
                    frame => return Poll::Ready(frame),
                }
            } else if !self.meter.was_starved() {
                return Poll::Pending;
            } else if !self.meter.allow_one() {
                return Poll::Ready(Some(self.fail(Http3BodyError::Flood)));
            }
        }
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Http3BodyError>>> {
        match self.part {
            Part::Data => {
                let data = match self.stream.poll_recv_data(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(None)) => return Poll::Ready(None),
                    Poll::Ready(Ok(Some(mut data))) => Ok(data.copy_to_bytes(data.remaining())),
                    Poll::Ready(Err(error)) => Err(Http3BodyError::Stream(error)),
                };
                Poll::Ready(Some(match data {
                    Ok(data) => self.on_data(data),
                    Err(error) => self.fail(error),
                }))
            }
            Part::Trailers => self.stream.poll_recv_trailers(cx).map(|trailers| match trailers {
                Err(error) => Some(self.fail(Http3BodyError::Stream(error))),
                Ok(_) if self.left.is_some_and(|left| left > 0) => Some(self.fail(Http3BodyError::Length)),
                Ok(trailers) => {
                    self.part = Part::End;
                    trailers.map(|trailers| Ok(Frame::trailers(trailers)))
                }
            }),
            Part::End => Poll::Ready(None),
        }
    }

    /// HTTP/1.1 beyond us believes the length (RFC 9114, 4.1.2).
    fn on_data(&mut self, data: Bytes) -> Result<Frame<Bytes>, Http3BodyError> {
        self.meter.delivered();
        if let Some(left) = &mut self.left {
            match left.checked_sub(data.len() as u64) {
                Some(rest) => *left = rest,
                None => return self.fail(Http3BodyError::Length),
            }
        }
        Ok(Frame::data(data))
    }

    fn fail(&mut self, error: Http3BodyError) -> Result<Frame<Bytes>, Http3BodyError> {
        self.part = Part::End;
        Err(error)
    }
}

impl Body for Http3Body {
    type Data = Bytes;
    type Error = Http3BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Http3BodyError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => self.poll_next(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.part == Part::End
    }

    fn size_hint(&self) -> SizeHint {
        let first =
            self.first.as_ref().and_then(|frame| frame.data_ref()).map_or(0, |data| data.len() as u64);
        match self.left {
            Some(left) => SizeHint::with_exact(left + first),
            None => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Http3Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http3Body")
            .field("part", &self.part)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
