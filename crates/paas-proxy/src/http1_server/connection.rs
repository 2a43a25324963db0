use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::{
    answer::{self, Asked},
    ending::{Ending, Wanted},
    exchange::{After, Exchange},
    head::{Head, may_be_whole, room},
    listening::{poll_gone, read_away},
    plain::Plain,
    stream::ClientStream,
};
use crate::{
    connection::over_http2,
    failure::Failure,
    io::{FIRST, Rewind},
    request_check::MAX_HEADER,
    service::{PlainAnswer, Visitor},
};

/// What an HTTP/2 client with prior knowledge sends first (RFC 9113, 3.4).
const HTTP2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client's connection between requests.
pub(super) struct Connection {
    pub(super) visitor: Arc<Visitor>,
    pub(super) stream: ClientStream,
    /// What was read of the next request; of a connection that waits for one, nothing.
    pub(super) buffer: BytesMut,
    /// How much of that is known to be no whole header.
    pub(super) seen: usize,
    pub(super) protocol: Protocol,
    pub(super) ending: Ending,
}

/// Which protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    /// Its first bytes tell.
    Unknown,
}

/// What comes next on a connection.
enum Next {
    Plain(Box<Plain>),
    /// A request's header, to be looked at more closely.
    Full(Bytes),
    Refused(Failure),
    Http2,
    End,
}

/// Serves a client until its connection ends, also one that turns out to speak HTTP/2.
///
/// No `async fn`: that would keep what it is given beside what it makes of it, and connections are many.
pub(crate) fn serve(
    visitor: Arc<Visitor>,
    stream: ClientStream,
    protocol: Protocol,
) -> impl Future<Output = io::Result<()>> + Send {
    let ending = Ending::new(Arc::clone(&visitor.shared));
    let mut connection = Connection { visitor, stream, buffer: BytesMut::new(), seen: 0, protocol, ending };
    async move {
        loop {
            match poll_fn(|cx| connection.poll_next(cx)).await? {
                Next::Plain(plain) => {
                    if !connection.plain(*plain).await? {
                        return Ok(());
                    }
                }
                // Boxed, or connections that wait would be as large.
                Next::Full(head) => match Box::pin(Exchange::full(connection, head)).await? {
                    After::Next(again) => connection = again,
                    // It counts as one of the client's until then.
                    After::Tunnel(visitor) => {
                        visitor.activity.idle().await;
                        return Ok(());
                    }
                    After::End => return Ok(()),
                },
                Next::Refused(failure) => {
                    return Box::pin(Exchange::refuse(connection, failure)).await.map(drop);
                }
                Next::Http2 => {
                    let Connection { visitor, mut stream, buffer, .. } = connection;
                    stream.multiplex();
                    return Box::pin(over_http2(visitor, Rewind::new(buffer.freeze(), stream))).await;
                }
                Next::End => return connection.ending.shutdown(&mut connection.stream).await,
            }
        }
    }
}

/// What was found of a request's header; of one that is whole, how long it is.
enum Found {
    Nothing,
    Plain(Box<Plain>, usize),
    Full(usize),
    Refused(Failure),
}

fn find(visitor: &Visitor, bytes: &[u8]) -> Found {
    let mut room = room();
    match Head::parse(bytes, &mut room) {
        Ok(None) => Found::Nothing,
        Ok(Some(head)) => match Plain::of(visitor, &head) {
            Some(plain) => Found::Plain(Box::new(plain), head.length),
            None => Found::Full(head.length),
        },
        Err(failure) => Found::Refused(failure),
    }
}

impl Connection {
    /// Waits for the header of a request.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Next>> {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        } else if self.seen == 0
            && let Some(next) = self.take()
        {
            return Poll::Ready(Ok(next));
        }
        loop {
            let polled = if self.buffer.is_empty() { self.poll_first(cx) } else { self.poll_more(cx) };
            match polled {
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(next))) => return Poll::Ready(Ok(next)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                // What has come is served, also when the proxy is to end, and what has begun to come is waited for.
                Poll::Pending => match self.ending.poll(cx) {
                    Wanted::Nothing => return Poll::Pending,
                    Wanted::Last if self.has_begun() => return Poll::Pending,
                    Wanted::Last | Wanted::Everything => return Poll::Ready(Ok(Next::End)),
                },
            }
        }
    }

    /// Whether some of a header has come: more than the empty lines that may go before it (RFC 9112, 2.2).
    fn has_begun(&self) -> bool {
        self.buffer.iter().any(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    /// The beginning of a header; mostly all of it, which then is read where it lies.
    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Next>>> {
        let mut bytes = [MaybeUninit::uninit(); FIRST];
        let mut read = ReadBuf::uninit(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        let bytes = read.filled();
        if bytes.is_empty() {
            return Poll::Ready(Ok(Some(Next::End)));
        }
        if self.protocol == Protocol::Http1 || bytes.first() != HTTP2.first() {
            self.protocol = Protocol::Http1;
            if let Found::Plain(plain, length) = find(&self.visitor, bytes) {
                self.buffer.extend_from_slice(bytes.get(length..).unwrap_or_default());
                return Poll::Ready(Ok(Some(Next::Plain(plain))));
            }
        }
        self.buffer.extend_from_slice(bytes);
        Poll::Ready(Ok(self.take()))
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Next>>> {
        self.buffer.reserve(FIRST);
        if ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer))? == 0 {
            return Poll::Ready(Ok(Some(Next::End)));
        }
        if self.buffer.len() < MAX_HEADER && !may_be_whole(&self.buffer, self.seen) {
            self.seen = self.buffer.len();
            return Poll::Ready(Ok(None));
        }
        Poll::Ready(Ok(self.take()))
    }

    /// Takes a header off the buffer, once it is there whole.
    fn take(&mut self) -> Option<Next> {
        if self.protocol == Protocol::Unknown {
            if self.buffer.starts_with(HTTP2) {
                return Some(Next::Http2);
            }
            if HTTP2.starts_with(&self.buffer) {
                self.seen = self.buffer.len();
                return None;
            }
            self.protocol = Protocol::Http1;
        }
        let found = find(&self.visitor, &self.buffer);
        self.seen = 0;
        match found {
            Found::Nothing => {
                self.seen = self.buffer.len();
                None
            }
            Found::Plain(plain, length) => {
                // What is left is copied, if anything is: the room may be large, and the answer take long.
                self.buffer = BytesMut::from(self.buffer.get(length..).unwrap_or_default());
                Some(Next::Plain(plain))
            }
            Found::Full(length) => Some(Next::Full(self.buffer.split_to(length).freeze())),
            Found::Refused(failure) => Some(Next::Refused(failure)),
        }
    }

    /// Answers a request that only has to be passed on. False when the connection has ended.
    fn plain(&mut self, plain: Plain) -> impl Future<Output = io::Result<bool>> + Send {
        let Self { visitor, stream, buffer, ending, .. } = self;
        let visitor = &**visitor;
        let (asked, client_keeps) = (Asked { to_head: plain.to_head, ..Asked::plainly() }, plain.keeps);
        // Boxed, or connections that wait would be as large.
        let mut answering = Box::pin(visitor.answer_plain(plain));
        async move {
            let mut is_first = true;
            let answer = poll_fn(|cx| {
                if let Poll::Ready(answer) = answering.as_mut().poll(cx) {
                    return Poll::Ready(Some(answer));
                }
                // Most answers are here by the next time, and one that takes longer wakes the task, too (`forward::QUICK`).
                if std::mem::take(&mut is_first) {
                    return Poll::Pending;
                }
                let gone = poll_gone(stream, buffer, cx).is_ready();
                let is_over = gone || ending.poll(cx) == Wanted::Everything;
                if is_over { Poll::Ready(None) } else { Poll::Pending }
            });
            let stop = &visitor.shared.stop;
            let mut ready = match answer.await {
                None => return Ok(false),
                Some(PlainAnswer::Plain(head, body)) => answer::plain(head, body, client_keeps, stop),
                Some(PlainAnswer::Full(response)) => answer::full(response, asked, client_keeps, stop),
            };
            let sent = poll_fn(|cx| match ready.sending.poll(stream, cx) {
                Poll::Ready(sent) => Poll::Ready(sent.map(|()| true)),
                Poll::Pending if poll_gone(stream, buffer, cx).is_ready() => Poll::Ready(Ok(false)),
                Poll::Pending if ending.poll(cx) == Wanted::Everything => Poll::Ready(Ok(false)),
                Poll::Pending => Poll::Pending,
            });
            if !sent.await.map_err(io::Error::other)? {
                return Ok(false);
            }
            if !ready.keeps {
                if client_keeps {
                    // It may have sent another request already, and closing on that would take the answer from it.
                    let _gone = poll_fn(|cx| Poll::Ready(poll_gone(stream, buffer, cx))).await;
                    if !buffer.is_empty() {
                        ending.cut(Box::pin(read_away(stream))).await;
                    }
                }
                ending.shutdown(stream).await?;
            }
            Ok(ready.keeps)
        }
    }
}
