use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};

use super::Encoder;

/// A body that is compressed as it comes. Nothing is held back: whenever the source has nothing more at the moment, all that it
/// has given goes out.
#[derive(Debug)]
pub(crate) struct Compressed<B> {
    source: B,
    state: State,
}

#[derive(Debug)]
enum State {
    Open {
        encoder: Encoder,
        pause: Pause,
    },
    /// The last compressed byte is out; these remain.
    Ended(Option<HeaderMap>),
}

/// How the encoder stands when the source has nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    /// It has given all it was given.
    Flushed,
    /// It keeps something.
    Kept,
    /// The same, and the source was found empty once: what reads it may only have had no turn yet, and a flush costs a little of
    /// the compression.
    Looked,
}

/// Why a compressed body ended badly.
#[derive(Debug)]
pub(crate) enum CompressedError<E> {
    Source(E),
    Encoder(io::Error),
}

type Compression<E> = Result<Frame<Bytes>, CompressedError<E>>;

impl<B: Body<Data = Bytes> + Unpin> Compressed<B> {
    pub(crate) fn new(source: B, encoder: Encoder) -> Self {
        Self { source, state: State::Open { encoder, pause: Pause::Flushed } }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended(None))
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Compression<B::Error>>> {
        loop {
            let State::Open { encoder, pause } = &mut self.state else { return Poll::Ready(self.rest()) };
            let output = match (Pin::new(&mut self.source).poll_frame(cx), *pause) {
                (Poll::Pending, Pause::Flushed) => return Poll::Pending,
                (Poll::Pending, Pause::Kept) => {
                    *pause = Pause::Looked;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                (Poll::Pending, Pause::Looked) => {
                    *pause = Pause::Flushed;
                    encoder.flush()
                }
                (Poll::Ready(Some(Err(error))), _) => {
                    self.state = State::Ended(None);
                    return Poll::Ready(Some(Err(CompressedError::Source(error))));
                }
                (Poll::Ready(Some(Ok(frame))), _) => match frame.into_data() {
                    Ok(data) => {
                        *pause = Pause::Kept;
                        encoder.write(&data)
                    }
                    Err(frame) => self.end(frame.into_trailers().ok()),
                },
                (Poll::Ready(None), _) => self.end(None),
            };
            match output {
                Ok(output) if output.is_empty() => {}
                Ok(output) => return Poll::Ready(Some(Ok(Frame::data(output)))),
                Err(error) => {
                    self.state = State::Ended(None);
                    return Poll::Ready(Some(Err(CompressedError::Encoder(error))));
                }
            }
        }
    }

    fn end(&mut self, trailers: Option<HeaderMap>) -> io::Result<Bytes> {
        match std::mem::replace(&mut self.state, State::Ended(trailers)) {
            State::Open { encoder, .. } => encoder.finish(),
            State::Ended(_) => Ok(Bytes::new()),
        }
    }

    fn rest(&mut self) -> Option<Compression<B::Error>> {
        let State::Ended(trailers) = &mut self.state else { return None };
        trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))
    }
}
