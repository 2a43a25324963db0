use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::{
    answer::{self, Ready},
    ending::{Ending, Wanted},
    exchange::Exchange,
    head::{Head, may_be_whole, room},
    listening::{FIRST, poll_gone},
    plain::Plain,
    stream::ClientStream,
};
use crate::{
    failure::Failure,
    request_check::MAX_HEADER,
    service::{PlainAnswer, Visitor},
};

/// A client's connection between requests.
pub(super) struct Connection {
    pub(super) visitor: Arc<Visitor>,
    pub(super) stream: ClientStream,
    /// What was read of the next request; of a connection that waits for one, nothing.
    pub(super) buffer: BytesMut,
    /// How much of that is known to be no whole header.
    pub(super) seen: usize,
    pub(super) ending: Ending,
}

/// What comes next on a connection.
enum Next {
    Plain(Box<Plain>),
    /// A request's header, to be looked at more closely.
    Full(Bytes),
    Refused(Failure),
    End,
}

/// Serves a client until its connection ends. `read` was read before.
pub(crate) async fn serve(visitor: Arc<Visitor>, stream: ClientStream, read: Bytes) -> io::Result<()> {
    let ending = Ending::new(Arc::clone(&visitor.shared));
    let mut connection = Connection { visitor, stream, buffer: BytesMut::from(read), seen: 0, ending };
    loop {
        let next = poll_fn(|cx| connection.poll_next(cx)).await?;
        // Boxed, or connections that wait would be as large.
        let again = match next {
            Next::Plain(plain) => Box::pin(connection.plain(*plain)).await?,
            Next::Full(head) => Box::pin(Exchange::full(connection, head)).await?,
            Next::Refused(failure) => {
                Box::pin(Exchange::refuse(connection, failure)).await?;
                None
            }
            Next::End => return connection.stream.shutdown().await,
        };
        match again {
            Some(again) => connection = again,
            None => return Ok(()),
        }
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
                // What has come is served, also when the proxy is to end.
                Poll::Pending if self.ending.poll(cx) == Wanted::Nothing => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(Next::End)),
            }
        }
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
        let mut room = room();
        if let Ok(Some(head)) = Head::parse(bytes, &mut room)
            && let Some(plain) = Plain::of(&self.visitor, &head)
        {
            self.buffer.extend_from_slice(bytes.get(head.length..).unwrap_or_default());
            return Poll::Ready(Ok(Some(Next::Plain(Box::new(plain)))));
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
        let mut room = room();
        let (plain, length) = match Head::parse(&self.buffer, &mut room) {
            Ok(None) => {
                self.seen = self.buffer.len();
                return None;
            }
            Ok(Some(head)) => (Plain::of(&self.visitor, &head), head.length),
            Err(failure) => return Some(Next::Refused(failure)),
        };
        self.seen = 0;
        Some(match plain {
            Some(plain) => {
                self.buffer.advance(length);
                Next::Plain(Box::new(plain))
            }
            None => Next::Full(self.buffer.split_to(length).freeze()),
        })
    }

    /// Answers a request that only has to be passed on. `None` when the connection has ended.
    async fn plain(mut self, plain: Plain) -> io::Result<Option<Self>> {
        let Self { visitor, stream, buffer, ending, .. } = &mut self;
        let keeps = plain.keeps;
        let answer = {
            let mut answering = std::pin::pin!(visitor.answer_plain(plain));
            poll_fn(|cx| match answering.as_mut().poll(cx) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if is_over(stream, buffer, ending, cx) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await
        };
        let stop = &visitor.shared.stop;
        let Ready { mut sending, keeps, .. } = match answer {
            None => return Ok(None),
            Some(PlainAnswer::Plain(head, body)) => answer::plain(head, body, keeps, stop),
            Some(PlainAnswer::Full(response)) => {
                answer::full(response, answer::Asked::plainly(), keeps, stop)
            }
        };
        let sent = poll_fn(|cx| match sending.poll(stream, cx) {
            Poll::Ready(sent) => Poll::Ready(sent.map(|()| true)),
            Poll::Pending if is_over(stream, buffer, ending, cx) => Poll::Ready(Ok(false)),
            Poll::Pending => Poll::Pending,
        });
        if !sent.await.map_err(io::Error::other)? {
            return Ok(None);
        }
        drop(sending);
        if !keeps {
            self.stream.shutdown().await?;
            return Ok(None);
        }
        Ok(Some(self))
    }
}

/// Whether nobody waits for the answer any more.
fn is_over(
    stream: &mut ClientStream,
    buffer: &mut BytesMut,
    ending: &mut Ending,
    cx: &mut Context<'_>,
) -> bool {
    poll_gone(stream, buffer, cx).is_ready() || ending.poll(cx) == Wanted::Everything
}
