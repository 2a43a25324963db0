use std::{
    future::poll_fn,
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
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::body::{Left, Reader, Returned};
use crate::{
    http1::{Framing, Piece},
    io::{Busy, FIRST},
};

/// How long the rest of a body that nobody wants may take to come.
const LONGEST: Duration = Duration::from_secs(10);
/// The same when it is not known where it ends: until the client has read why.
const LONGEST_UNKNOWN: Duration = Duration::from_secs(1);

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

/// Reads away what a client has sent beyond its last request, until it closes or for a second.
pub(super) async fn read_away<S: AsyncRead + Unpin>(stream: &mut S) {
    let all = poll_fn(|cx| {
        let mut room = [MaybeUninit::uninit(); FIRST];
        let mut read = ReadBuf::uninit(&mut room);
        loop {
            read.clear();
            let polled = ready!(Pin::new(&mut *stream).poll_read(cx, &mut read));
            if polled.is_err() || read.filled().is_empty() {
                return Poll::Ready(());
            }
        }
    });
    let _ = timeout(LONGEST_UNKNOWN, all).await;
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
    Away {
        reader: Reader,
        framing: Framing,
        until: Pin<Box<Sleep>>,
        /// Held, never read.
        #[allow(dead_code)]
        busy: Option<Busy>,
    },
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
                        Ok(Returned { reader, left: Left::Nothing, .. }) => Self::whole(reader),
                        Ok(Returned { reader, left: Left::Rest(framing), busy }) => {
                            Self::away(reader, framing, LONGEST, Some(busy))
                        }
                        Ok(Returned { reader, left: Left::Unknown, .. }) => Self::unknown(reader),
                        Err(_) => Self::Over,
                    };
                }
                Self::Away { reader, framing, until, .. } => match framing.next(&mut reader.buffer) {
                    Ok(Piece::Missing) => {
                        if until.as_mut().poll(cx).is_ready() {
                            *self = Self::Over;
                        } else if !matches!(ready!(reader.poll_more(cx, FIRST)), Ok(1..)) {
                            // Who does not send a request to its end does not want the answer.
                            let is_known = *framing != Framing::UntilClose;
                            *self = Self::Over;
                            return if is_known { Poll::Ready(()) } else { Poll::Pending };
                        }
                    }
                    Ok(Piece::Data(_) | Piece::Trailers(_)) => {}
                    Ok(Piece::End) => {
                        if let Self::Away { reader, .. } = std::mem::replace(self, Self::Over) {
                            *self = Self::whole(reader);
                        }
                    }
                    Err(_) => {
                        if let Self::Away { reader, .. } = std::mem::replace(self, Self::Over) {
                            *self = Self::unknown(reader);
                        }
                    }
                },
                Self::Whole(reader) => return poll_gone(&mut reader.stream, &mut reader.buffer, cx),
                Self::Over => return Poll::Pending,
            }
        }
    }

    /// After a request that has been read to its end.
    pub(super) fn whole(mut reader: Reader) -> Self {
        if reader.buffer.is_empty() {
            // The answer may take long, and there is room for a large body.
            reader.buffer = BytesMut::new();
        }
        Self::Whole(reader)
    }

    /// After a message whose end is not known.
    pub(super) fn unknown(reader: Reader) -> Self {
        Self::away(reader, Framing::UntilClose, LONGEST_UNKNOWN, None)
    }

    fn away(reader: Reader, framing: Framing, longest: Duration, busy: Option<Busy>) -> Self {
        Self::Away { reader, framing, until: Box::pin(sleep_until(Instant::now() + longest)), busy }
    }

    /// The connection ends: of what the client has sent already nothing may be left unread.
    pub(super) fn end(&mut self) {
        if let Self::Whole(reader) = self
            && !reader.buffer.is_empty()
            && let Self::Whole(reader) = std::mem::replace(self, Self::Over)
        {
            *self = Self::unknown(reader);
        }
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
