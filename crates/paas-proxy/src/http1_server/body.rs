use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::{io::ReadHalf, sync::oneshot};
use tokio_util::io::poll_read_buf;

use super::{head::Coming, stream::ClientStream};
use crate::{
    client_body::ClientBodyError,
    http1::{Chunks, Framing, Http1Error, Piece, alone},
    io::{Busy, Rewind},
};

/// Where a client's bytes come from: what was read and not used yet, and what is to be read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) stream: ReadHalf<ClientStream>,
    pub(super) buffer: BytesMut,
}

impl Reader {
    /// Reads about as much more; 0 is the end.
    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>, wish: usize) -> Poll<std::io::Result<usize>> {
        self.buffer.reserve(wish);
        poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer)
    }
}

/// The reader when the body is done with it.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) reader: Reader,
    pub(super) left: Left,
    /// The connection is busy as long as something is read of the request.
    pub(super) busy: Busy,
}

/// What is left of a body that nobody wants to read any more.
#[derive(Debug)]
pub(super) enum Left {
    Nothing,
    /// The next message begins behind it.
    Rest(Framing),
    /// Where the next message begins is not known: the body is malformed, or the client has gone.
    Unknown,
}

/// A request's body as it comes over HTTP/1.1, where the next message begins at its end. It holds what is read from until then.
#[derive(Debug)]
pub(crate) struct Http1Body {
    /// Until it has ended, well or badly.
    coming: Option<Open>,
    tunnel: Option<oneshot::Receiver<Rewind<ClientStream>>>,
}

#[derive(Debug)]
struct Open {
    reader: Reader,
    framing: Framing,
    /// How many bytes came so far.
    passed: u64,
    /// Told when the body is first wanted, if the client waits for that.
    asked: Option<oneshot::Sender<()>>,
    back: oneshot::Sender<Returned>,
    busy: Busy,
}

impl Open {
    fn give_back(self, left: Left) {
        // The connection may have ended meanwhile.
        let _ = self.back.send(Returned { reader: self.reader, left, busy: self.busy });
    }
}

impl Http1Body {
    /// No body; maybe a tunnel.
    pub(super) fn none(tunnel: Option<oneshot::Receiver<Rewind<ClientStream>>>) -> Self {
        Self { coming: None, tunnel }
    }

    /// A body to come. `asked` is told when it is wanted, `back` gets the reader when it has ended.
    pub(super) fn new(
        reader: Reader,
        coming: Coming,
        asked: Option<oneshot::Sender<()>>,
        back: oneshot::Sender<Returned>,
        busy: Busy,
    ) -> Self {
        let framing = match coming {
            Coming::Length(length) => Framing::Length(length),
            Coming::Chunked => Framing::Chunked(Chunks::default()),
        };
        Self { coming: Some(Open { reader, framing, passed: 0, asked, back, busy }), tunnel: None }
    }

    /// The client's connection, once the answer to a request without a body has been sent that changes the protocol.
    pub(crate) fn take_tunnel(&mut self) -> Option<oneshot::Receiver<Rewind<ClientStream>>> {
        self.tunnel.take()
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        let Some(open) = &mut self.coming else { return Poll::Ready(None) };
        if let Some(asked) = open.asked.take() {
            let _ = asked.send(());
        }
        let polled = ready!(open.poll_piece(cx));
        let left = match &polled {
            Some(Err(_)) => Left::Unknown,
            _ if open.framing.has_ended() => Left::Nothing,
            _ => return Poll::Ready(polled),
        };
        if let Some(open) = self.coming.take() {
            open.give_back(left);
        }
        Poll::Ready(polled)
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        self.coming.is_none()
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        match &self.coming {
            None => SizeHint::with_exact(0),
            Some(Open { framing: Framing::Length(left), .. }) => SizeHint::with_exact(*left),
            Some(_) => SizeHint::default(),
        }
    }
}

impl Open {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        loop {
            match self.framing.next(&mut self.reader.buffer).map_err(|error| of_client(&error))? {
                Piece::Data(data) => return Poll::Ready(Some(Ok(Frame::data(alone(data))))),
                Piece::Trailers(trailers) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Piece::End => return Poll::Ready(None),
                Piece::Missing => {}
            }
            let wish = self.framing.wish(self.passed);
            let count = ready!(self.reader.poll_more(cx, wish)).map_err(ClientBodyError::Broken)?;
            self.passed += count as u64;
            if count == 0 {
                return Poll::Ready(Some(Err(ClientBodyError::Closed)));
            }
        }
    }
}

fn of_client(error: &Http1Error) -> ClientBodyError {
    match error {
        Http1Error::Malformed(what) => ClientBodyError::Malformed(what),
        _ => ClientBodyError::Closed,
    }
}

impl Drop for Http1Body {
    fn drop(&mut self) {
        if let Some(Open { reader, framing, back, asked, busy, .. }) = self.coming.take() {
            // One that was not asked for may come or not.
            let left = if asked.is_some() { Left::Unknown } else { Left::Rest(framing) };
            let _ = back.send(Returned { reader, left, busy });
        }
    }
}
