use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::oneshot,
    time::{Instant, Sleep, sleep_until},
};

use super::body::{Left, Reader, Returned};
use crate::http1::{Framing, Piece};

/// How long the rest of a body that nobody wants may take to come.
const LONGEST: Duration = Duration::from_secs(10);
/// The same when it is not known where it ends: until the client has read why.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(1);
/// What is read at once of a request whose client is waited for: most requests.
pub(super) const FIRST: usize = 4096;

/// Reads what is there into the buffer, which is empty; while nothing has come there is no room for it, as many wait. Gives how much.
pub(super) fn poll_first<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut room = [MaybeUninit::uninit(); FIRST];
    let mut read = ReadBuf::uninit(&mut room);
    ready!(Pin::new(stream).poll_read(cx, &mut read))?;
    buffer.extend_from_slice(read.filled());
    Poll::Ready(Ok(read.filled().len()))
}

/// Watches the client while it is being answered. Ready when it has gone. The beginning of its next request is kept; more waits in
/// the kernel.
pub(super) fn poll_gone<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if buffer.is_empty() && !matches!(ready!(poll_first(stream, buffer, cx)), Ok(1..)) {
        return Poll::Ready(());
    }
    Poll::Pending
}

/// What is read from a client while its request is answered: the request's body, by whoever wants it; then what is left of that; then
/// whether the client is still there.
#[derive(Debug)]
pub(super) enum Listening {
    /// The body has the reader.
    Lent(oneshot::Receiver<Returned>),
    /// Nobody wants the rest of the body. It is read away: to close on unread bytes makes the kernel reset the connection, and the
    /// client may lose the answer.
    Away { reader: Reader, framing: Framing, until: Pin<Box<Sleep>> },
    /// The request has been read to its end.
    Whole(Reader),
    /// Nothing more is read, and no request can follow.
    Over,
}

impl Listening {
    /// Goes on as far as it can. Ready when the client has gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self {
                Self::Lent(returned) => {
                    *self = match ready!(Pin::new(returned).poll(cx)) {
                        Ok(Returned { reader, left: Left::Nothing }) => Self::Whole(reader),
                        Ok(Returned { reader, left: Left::Rest(framing) }) => {
                            Self::away(reader, framing, LONGEST)
                        }
                        Ok(Returned { reader, left: Left::Unknown }) => Self::unknown(reader),
                        Err(_) => Self::Over,
                    };
                }
                Self::Away { reader, framing, until } => match framing.next(&mut reader.buffer) {
                    Ok(Piece::Missing) => {
                        let over = until.as_mut().poll(cx).is_ready();
                        if over || !matches!(ready!(reader.poll_more(cx, FIRST)), Ok(1..)) {
                            *self = Self::Over;
                        }
                    }
                    Ok(Piece::Data(_) | Piece::Trailers(_)) => {}
                    Ok(Piece::End) => {
                        let Self::Away { reader, .. } = std::mem::replace(self, Self::Over) else {
                            continue;
                        };
                        *self = Self::Whole(reader);
                    }
                    Err(_) => *self = Self::Over,
                },
                Self::Whole(reader) => return poll_gone(&mut reader.stream, &mut reader.buffer, cx),
                Self::Over => return Poll::Pending,
            }
        }
    }

    /// After a message whose end is not known.
    pub(super) fn unknown(reader: Reader) -> Self {
        Self::away(reader, Framing::UntilClose, LONGEST_UNKNOWN)
    }

    fn away(reader: Reader, framing: Framing, longest: Duration) -> Self {
        Self::Away { reader, framing, until: Box::pin(sleep_until(Instant::now() + longest)) }
    }

    /// Ready when the request has been read to its end, or nothing more is read.
    pub(super) fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll(cx).is_ready() {
            *self = Self::Over;
        }
        match self {
            Self::Whole(_) | Self::Over => Poll::Ready(()),
            Self::Lent(_) | Self::Away { .. } => Poll::Pending,
        }
    }
}
