use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::{
    body_pace::{BodyPace, Slowness},
    body_turn::Turn,
    buffering::WholeBody,
    client_body::{ClientBody, ClientBodyError},
    failure::Failure,
    progress::{AnswerState, Progress},
};

/// The body sent to a target: none, the client's as it comes, or one that was read whole before.
#[derive(Debug, Default)]
pub(crate) enum RequestBody {
    #[default]
    Empty,
    Streaming(Box<Streaming>),
    Whole {
        body: WholeBody,
        progress: Arc<Progress>,
    },
}

#[derive(Debug)]
pub(crate) struct Streaming {
    incoming: ClientBody,
    progress: Arc<Progress>,
    pace: BodyPace,
    /// Taken from the client and not sent.
    ahead: Bytes,
    /// How many bytes may still come, when the length was not told and so not looked at before.
    left: Option<u64>,
    /// How many bytes came at last.
    last: usize,
    /// Since more has to be waited for.
    turn: Option<Turn>,
}

impl RequestBody {
    /// `max` is the largest that is taken, in bytes; a length that was told is within it.
    pub(crate) fn new(incoming: ClientBody, max: u64, slowness: Slowness) -> Self {
        if incoming.is_end_stream() {
            return Self::Empty;
        }
        let left = incoming.size_hint().exact().is_none().then_some(max);
        let pace = BodyPace::new(slowness);
        Self::Streaming(Box::new(Streaming {
            incoming,
            progress: Progress::new(),
            pace,
            ahead: Bytes::new(),
            left,
            last: 0,
            turn: None,
        }))
    }

    pub(crate) fn whole(body: WholeBody) -> Self {
        Self::Whole { body, progress: Progress::new() }
    }

    /// The same body from its beginning; `None` when it comes but once.
    pub(crate) fn again(&self) -> Option<Self> {
        match self {
            Self::Empty => Some(Self::Empty),
            Self::Streaming(_) => None,
            Self::Whole { body, progress } => {
                Some(Self::Whole { body: body.again(), progress: Arc::clone(progress) })
            }
        }
    }

    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self, Self::Streaming(_))
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Gives back what was taken from it, when nothing of it was sent.
    pub(crate) fn put_back(&mut self, data: Bytes) {
        match self {
            Self::Empty => {}
            Self::Streaming(streaming) => streaming.ahead = data,
            Self::Whole { body, .. } => *body = body.again(),
        }
    }

    pub(crate) fn progress(&self) -> Option<&Arc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Streaming(streaming) => Some(&streaming.progress),
            Self::Whole { progress, .. } => Some(progress),
        }
    }
}

impl Streaming {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.ahead)))));
        }
        if let Some(turn) = &mut self.turn {
            ready!(turn.poll(cx));
            self.turn = None;
        }
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        self.progress.wait(polled.is_pending());
        let frame = match polled {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                self.turn = Turn::after(self.last);
                ready!(self.pace.poll_too_slow(cx, self.is_free()));
                self.progress.blame(Failure::SlowBody);
                return Poll::Ready(Some(Err(ClientBodyError::TooSlow)));
            }
        };
        self.progress.mark();
        match &frame {
            Some(Ok(frame)) => {
                self.last = frame.data_ref().map_or(0, Bytes::len);
                let length = self.last as u64;
                self.progress.pass(length);
                self.pace.moved(length);
                if let Some(left) = &mut self.left {
                    let Some(rest) = left.checked_sub(length) else {
                        self.progress.blame(Failure::BodyTooLarge);
                        return Poll::Ready(Some(Err(ClientBodyError::TooLarge)));
                    };
                    *left = rest;
                }
            }
            Some(Err(_)) => self.progress.blame(Failure::BrokenBody),
            None => {}
        }
        Poll::Ready(frame)
    }

    /// While its answer comes, a stream may be silent for as long as it likes: calls that talk both ways are. Over HTTP/1.1 there are
    /// none, and the client would hold a connection to the target.
    fn is_free(&self) -> bool {
        !self.incoming.is_alone() && self.progress.answer() == AnswerState::Begun
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let polled = match &mut *self {
            Self::Empty => return Poll::Ready(None),
            Self::Streaming(streaming) => streaming.poll_frame(cx),
            Self::Whole { body, progress } => {
                progress.mark();
                return Pin::new(body).poll_frame(cx).map_err(ClientBodyError::from);
            }
        };
        if let Poll::Ready(Some(Err(_))) = &polled {
            // Whoever sends it on may hold it for longer; what is still to come need not wait for that.
            *self = Self::Empty;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Streaming(streaming) => streaming.ahead.is_empty() && streaming.incoming.is_end_stream(),
            Self::Whole { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Streaming(streaming) => {
                longer(&streaming.incoming.size_hint(), streaming.ahead.len() as u64)
            }
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
