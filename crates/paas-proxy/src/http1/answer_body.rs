use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use tokio::{
    net::{TcpStream, tcp::OwnedReadHalf},
    time::Instant,
};
use tokio_util::{io::poll_read_buf, task::AbortOnDropHandle};

use super::{
    chunks::Piece,
    connection::Connection,
    error::Http1Error,
    framing::Framing,
    sending::{Sending, Stuck},
};
use crate::{io::Rewind, progress::Progress};

/// Less than this is copied: it would keep a whole buffer.
const SMALL: usize = 2048;

/// A target that takes nothing of a request for so long after its answer will not want the rest.
const UNREAD: Duration = Duration::from_mins(1);

/// An answer's body.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// It came with the header.
    Whole(Bytes),
    /// It comes.
    Reading(Box<Reading>),
    /// The answer was 101: what follows is another protocol.
    Tunnel(Box<Rewind<TcpStream>>),
}

/// A body as it comes.
#[derive(Debug)]
pub(crate) struct Reading {
    source: Source,
    framing: Framing,
    /// How many bytes came so far.
    passed: u64,
    /// Whether the connection can carry another request afterwards.
    keeps: bool,
    failed: bool,
}

#[derive(Debug)]
enum Source {
    Whole(Connection),
    /// The answer began before its request had ended. That is written by a task of its own: a client that takes nothing of the answer
    /// before it has sent everything must not wait for itself. It goes on when the answer has ended first, and ends with one that breaks.
    Early {
        stream: OwnedReadHalf,
        buffer: BytesMut,
        /// Until it has ended.
        sending: Option<AbortOnDropHandle<Result<(), Http1Error>>>,
    },
}

impl Source {
    fn buffer(&mut self) -> &mut BytesMut {
        match self {
            Self::Whole(connection) => &mut connection.buffer,
            Self::Early { buffer, .. } => buffer,
        }
    }

    /// Fails when the rest of the request ended badly: the answer is to what was never asked.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Result<(), Http1Error> {
        if let Self::Early { sending, .. } = self
            && let Some(task) = sending
            && let Poll::Ready(sent) = Pin::new(task).poll(cx)
        {
            *sending = None;
            // A task that broke off has told why.
            return sent.unwrap_or(Ok(()));
        }
        Ok(())
    }

    /// Lets the rest of the request be sent without anybody who waits for it.
    fn let_send(&mut self) {
        if let Self::Early { sending, .. } = self
            && let Some(task) = sending.take()
        {
            drop(task.detach());
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>, wish: usize) -> Poll<Result<usize, Http1Error>> {
        match self {
            Self::Whole(connection) => connection.poll_more(cx, wish),
            Self::Early { stream, buffer, .. } => {
                buffer.reserve(wish);
                poll_read_buf(Pin::new(stream), cx, buffer).map_err(Http1Error::Broken)
            }
        }
    }
}

/// Returns when a target whose answer has ended does not want the rest of the request.
async fn unread(progress: Option<Arc<Progress>>) {
    match progress {
        Some(progress) => progress.stands_still(Instant::now(), UNREAD).await,
        None => std::future::pending().await,
    }
}

impl Reading {
    pub(super) fn new(connection: Connection, framing: Framing, keeps: bool) -> Self {
        Self { source: Source::Whole(connection), framing, passed: 0, keeps, failed: false }
    }

    /// An answer whose request is still being sent.
    pub(super) fn early(connection: Connection, mut sending: Sending, framing: Framing) -> Self {
        let Connection { stream, buffer } = connection;
        let (stream, mut write) = stream.into_split();
        let progress = sending.progress().cloned();
        let sending = tokio::spawn(async move {
            let sent = tokio::select! {
                sent = poll_fn(|cx| sending.poll(&mut write, cx)) => sent,
                () = unread(progress) => Ok(()),
            };
            // The connection is not closed in this direction: the target may still be reading.
            write.forget();
            match sent {
                // What a target does not take of a request does not spoil its answer.
                Ok(()) | Err(Stuck::Target(_)) => Ok(()),
                Err(Stuck::Client(error)) => Err(error),
            }
        });
        let source = Source::Early { stream, buffer, sending: Some(AbortOnDropHandle::new(sending)) };
        let mut reading = Self { source, framing, passed: 0, keeps: false, failed: false };
        if reading.has_ended() {
            reading.source.let_send();
        }
        reading
    }

    fn has_ended(&self) -> bool {
        self.framing.has_ended()
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Http1Error>>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let polled = match self.source.poll_sent(cx) {
            Ok(()) => self.poll_piece(cx),
            Err(error) => Poll::Ready(Some(Err(error))),
        };
        match &polled {
            Poll::Ready(Some(Err(_))) => self.failed = true,
            Poll::Ready(None) => self.source.let_send(),
            _ if self.has_ended() => self.source.let_send(),
            _ => {}
        }
        polled
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Http1Error>>> {
        loop {
            match self.framing.next(self.source.buffer())? {
                Piece::Data(data) => return Poll::Ready(Some(Ok(Frame::data(alone(data))))),
                Piece::Trailers(trailers) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Piece::End => return Poll::Ready(None),
                Piece::Missing => {}
            }
            let wish = self.framing.wish(self.passed);
            let count = ready!(self.source.poll_more(cx, wish))?;
            self.passed += count as u64;
            if count == 0 {
                return match self.framing {
                    Framing::UntilClose => Poll::Ready(None),
                    _ => Poll::Ready(Some(Err(Http1Error::Closed))),
                };
            }
        }
    }
}

/// A piece that keeps no more memory than it needs, or little more.
pub(crate) fn alone(data: Bytes) -> Bytes {
    if data.len() < SMALL { Bytes::copy_from_slice(&data) } else { data }
}

impl AnswerBody {
    /// The connection of a body that was read to its end, if it can carry another request.
    pub(crate) fn take_connection(&mut self) -> Option<Connection> {
        let Self::Reading(reading) = self else { return None };
        if !reading.has_ended() || !reading.keeps || reading.failed {
            return None;
        }
        let Self::Reading(reading) = std::mem::replace(self, Self::Whole(Bytes::new())) else { return None };
        match reading.source {
            // What follows the answer was not asked for.
            Source::Whole(connection) if connection.buffer.is_empty() => Some(connection),
            _ => None,
        }
    }

    /// The connection behind a 101.
    pub(crate) fn take_tunnel(&mut self) -> Option<Rewind<TcpStream>> {
        match std::mem::replace(self, Self::Whole(Bytes::new())) {
            Self::Tunnel(tunnel) => Some(*tunnel),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Http1Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Http1Error>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Reading(reading) => reading.poll_frame(cx),
            Self::Tunnel(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_empty(),
            Self::Reading(reading) => reading.has_ended(),
            Self::Tunnel(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Reading(reading) => match reading.framing {
                Framing::Length(left) => SizeHint::with_exact(left),
                Framing::Chunked(_) | Framing::UntilClose => SizeHint::default(),
            },
            Self::Tunnel(_) => SizeHint::with_exact(0),
        }
    }
}
