use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http::{StatusCode, header::UPGRADE};
use tokio::{
    io::{AsyncWrite, WriteHalf, split},
    sync::oneshot,
};

use super::{
    answer::{self, Asked, Ready},
    body::{Http1Body, Reader},
    connection::{Connection, Protocol},
    ending::{Ending, Wanted},
    head::Coming,
    listening::Listening,
    request::request,
    sending::SendError,
    stream::ClientStream,
};
use crate::{client_body::ClientBody, failure::Failure, http1::Pieces, io::Rewind, service::Visitor};

/// RFC 9110, 15.2.1.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What comes after an exchange.
#[allow(clippy::large_enum_variant, reason = "most are followed by another")]
pub(super) enum After {
    Next(Connection),
    /// The connection is a tunnel's.
    Tunnel(Arc<Visitor>),
    End,
}

/// A request that is looked at as a whole, and its answer: what the client still sends is read at the same time.
pub(super) struct Exchange {
    visitor: Arc<Visitor>,
    write: WriteHalf<ClientStream>,
    listening: Listening,
    ending: Ending,
    expecting: Expecting,
    /// What goes before the answer.
    interim: Pieces,
}

/// Whether the client waits to be asked for its body (RFC 9110, 10.1.1).
enum Expecting {
    Nothing,
    /// Told when it is to be asked.
    Question(oneshot::Receiver<()>),
    /// Nobody will want the body.
    Silence,
}

impl Expecting {
    /// Ready when the client is to be asked.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self::Question(asked) = self else { return Poll::Pending };
        let asked = ready!(Pin::new(asked).poll(cx));
        *self = if asked.is_ok() { Self::Nothing } else { Self::Silence };
        if asked.is_ok() { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Exchange {
    /// Answers the request of this header.
    pub(super) async fn full(connection: Connection, head: Bytes) -> io::Result<After> {
        let (request, facts) = match request(&head) {
            Ok(read) => read,
            Err(failure) => return Self::refuse(connection, failure).await,
        };
        drop(head);
        let Connection { visitor, stream, buffer, ending, .. } = connection;
        let (read, write) = split(stream);
        let reader = Reader { stream: read, buffer };
        let mut tunnel = None;
        let (mut expecting, mut ask) = (Expecting::Nothing, None);
        let (listening, body) = if facts.body == Coming::Length(0) {
            let client = request.headers().contains_key(UPGRADE).then(|| {
                let (sender, receiver) = oneshot::channel();
                tunnel = Some(sender);
                receiver
            });
            (Listening::whole(reader), Http1Body::none(client))
        } else {
            if facts.expects {
                let (sender, receiver) = oneshot::channel();
                (ask, expecting) = (Some(sender), Expecting::Question(receiver));
            }
            let (back, returned) = oneshot::channel();
            let body = Http1Body::new(reader, facts.body, ask, back, visitor.activity.hold());
            (Listening::Lent(returned), body)
        };
        let about = Asked::new(request.method(), request.version(), facts);
        let answering = Arc::clone(&visitor).answer(request.map(|()| ClientBody::Http1(body)));
        let mut exchange = Self { visitor, write, listening, ending, expecting, interim: Pieces::default() };
        let mut answering = pin!(answering);
        let answer = poll_fn(|cx| match answering.as_mut().poll(cx) {
            Poll::Ready(Ok(response)) => Poll::Ready(Some(response)),
            Poll::Pending if exchange.poll_over(cx).is_ready() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        });
        let Some(response) = answer.await else { return Ok(After::End) };
        // It is not asked any more: the answer begins. And a client that was not asked may send its body or not: no request can be told
        // from it.
        let unasked = std::mem::replace(&mut exchange.expecting, Expecting::Nothing);
        let keeps = facts.keeps && matches!(unasked, Expecting::Nothing);
        let ready = answer::full(response, about, keeps, &exchange.visitor.shared.stop);
        let (keeps, status) = (ready.keeps, ready.status);
        if !exchange.send(ready).await? {
            return Ok(After::End);
        }
        match tunnel {
            Some(tunnel) if status == StatusCode::SWITCHING_PROTOCOLS => {
                let Some((stream, buffer, visitor, _)) = exchange.join() else { return Ok(After::End) };
                // Nobody may want it any more.
                let _ = tunnel.send(Rewind::new(buffer.freeze(), stream));
                Ok(After::Tunnel(visitor))
            }
            _ => exchange.settle(keeps).await,
        }
    }

    /// Answers a request that could not be read, and ends.
    pub(super) async fn refuse(connection: Connection, failure: Failure) -> io::Result<After> {
        let Connection { visitor, stream, buffer, ending, .. } = connection;
        let (read, write) = split(stream);
        let listening = Listening::unknown(Reader { stream: read, buffer });
        let response = visitor.refuse(failure);
        let ready = answer::full(response, Asked::plainly(), false, &visitor.shared.stop);
        let mut exchange = Self {
            visitor,
            write,
            listening,
            ending,
            expecting: Expecting::Nothing,
            interim: Pieces::default(),
        };
        if exchange.send(ready).await? { exchange.settle(false).await } else { Ok(After::End) }
    }

    /// Sends the answer. False when nobody takes it.
    async fn send(&mut self, ready: Ready) -> io::Result<bool> {
        let mut sending = ready.sending;
        let sent = poll_fn(|cx| {
            let sent = match self.poll_interim(cx) {
                Poll::Ready(Ok(())) => sending.poll(&mut self.write, cx),
                Poll::Ready(Err(error)) => Poll::Ready(Err(SendError::Client(error))),
                Poll::Pending => Poll::Pending,
            };
            match sent {
                Poll::Ready(sent) => Poll::Ready(sent.map(|()| true)),
                Poll::Pending if self.poll_over(cx).is_ready() => Poll::Ready(Ok(false)),
                Poll::Pending => Poll::Pending,
            }
        });
        sent.await.map_err(io::Error::other)
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.interim.is_empty() {
            ready!(self.interim.poll_write(&mut self.write, cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Ready when nobody waits for the answer any more.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.expecting.poll(cx).is_ready() {
            self.interim = Pieces::new(Bytes::from_static(CONTINUE));
        }
        if let Poll::Ready(Err(_)) = self.poll_interim(cx) {
            return Poll::Ready(());
        }
        // Also lets a request that waits see whether its client has gone.
        let _ = Pin::new(&mut self.write).poll_flush(cx);
        ready!(match self.ending.poll(cx) {
            Wanted::Everything => Poll::Ready(()),
            Wanted::Nothing | Wanted::Last => self.listening.poll(cx),
        });
        Poll::Ready(())
    }

    /// Waits until the request has been read to its end. Gives the connection if another may follow.
    async fn settle(mut self, keeps: bool) -> io::Result<After> {
        self.settled().await;
        if !keeps {
            // Nor is anything left unread that has come behind it.
            let _gone = poll_fn(|cx| Poll::Ready(self.listening.poll(cx))).await;
            self.listening.end();
            self.settled().await;
            self.ending.shutdown(&mut self.write).await?;
            return Ok(After::End);
        }
        Ok(match self.join() {
            Some((stream, buffer, visitor, ending)) => {
                let protocol = Protocol::Http1;
                After::Next(Connection { visitor, stream, buffer, seen: 0, protocol, ending })
            }
            None => After::End,
        })
    }

    async fn settled(&mut self) {
        self.ending.cut(poll_fn(|cx| self.listening.poll_settled(cx))).await;
    }

    /// The connection as a whole, if the request has been read to its end.
    fn join(self) -> Option<(ClientStream, BytesMut, Arc<Visitor>, Ending)> {
        let Listening::Whole(Reader { stream, buffer }) = self.listening else { return None };
        Some((stream.unsplit(self.write), buffer, self.visitor, self.ending))
    }
}
