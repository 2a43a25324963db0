use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use crate::{
    body_pace::{BodyPace, Slowness},
    buffering::WholeBody,
    client_body::{ClientBody, ClientBodyError},
    failure::Failure,
    progress::{AnswerState, Progress},
    worker_turn::WorkerTurn,
};

/// How much of a body is waited for before its target is asked, in bytes. Less than the first piece of most bodies that are larger: it need
/// not be copied. And more than comes of one in a minute that is sent to keep servers waiting.
const BEGINNING: usize = 2048;

/// In pieces that are smaller a body comes slowly. To send one on costs as much as to answer a request, so each waits for a turn.
const SMALL: usize = 1024;

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
    turn: Option<WorkerTurn>,
    /// Since it has come too slowly.
    end: Option<WorkerTurn>,
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
            end: None,
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

    /// Waits for the beginning of a body whose length is known, or for all of it if it is short. A target then has nothing to do with clients
    /// that send a few bytes now and then: none of its workers waits for them, and no connection to it.
    pub(crate) async fn begin(&mut self) -> Result<(), ClientBodyError> {
        let Self::Streaming(streaming) = self else { return Ok(()) };
        let begun = poll_fn(|cx| streaming.poll_beginning(cx)).await;
        if begun.is_err() {
            *self = Self::Empty;
        }
        begun
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
    fn poll_beginning(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ClientBodyError>> {
        while self.ahead.len() < BEGINNING && self.incoming.size_hint().exact().is_some_and(|left| left > 0) {
            let next = ready!(self.poll_next(cx)).transpose()?.map(Frame::into_data);
            let Some(Ok(data)) = next else {
                // It is shorter than it said.
                self.progress.blame(Failure::BrokenBody);
                return Poll::Ready(Err(ClientBodyError::Closed));
            };
            let is_enough = data.len() >= BEGINNING || self.incoming.size_hint().exact() == Some(0);
            self.ahead =
                if self.ahead.is_empty() && is_enough { data } else { appended(&mut self.ahead, &data) };
        }
        Poll::Ready(Ok(()))
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        if !self.ahead.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.ahead)))));
        }
        if let Some(turn) = &mut self.turn {
            ready!(turn.poll(cx));
            self.turn = None;
        }
        let polled = self.poll_next(cx);
        if polled.is_pending() {
            self.turn = (self.last < SMALL).then(WorkerTurn::of_body);
        }
        polled
    }

    /// What comes next from the client.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let polled = Pin::new(&mut self.incoming).poll_frame(cx);
        self.progress.wait(polled.is_pending());
        let frame = match polled {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let too_slow = self.pace.poll_too_slow(cx, self.is_free());
                if too_slow.is_pending() {
                    self.end = None;
                    return Poll::Pending;
                }
                ready!(self.end.get_or_insert_with(WorkerTurn::of_end).poll(cx));
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

/// A copy that keeps no larger buffer while more is waited for.
fn appended(ahead: &mut Bytes, data: &[u8]) -> Bytes {
    let mut both = BytesMut::from(std::mem::take(ahead));
    both.extend_from_slice(data);
    both.freeze()
}

fn longer(hint: &SizeHint, by: u64) -> SizeHint {
    let mut longer = SizeHint::new();
    longer.set_lower(hint.lower() + by);
    if let Some(upper) = hint.upper() {
        longer.set_upper(upper + by);
    }
    longer
}
