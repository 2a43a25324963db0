use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};

use super::{
    answer_body::{AnswerBody, Reading},
    connection::Connection,
    error::Http1Error,
    framing::{Framing, Shape},
    plain_head::PlainHead,
    request_head::{Written, head},
    response_head::{Head, take_head},
    sending::{Sending, Stuck},
    trailers,
};
use crate::request_body::RequestBody;

/// Enough for most answers; a header that is longer is read in more steps.
const READ: usize = 8 * 1024;
/// What is copied rather than shared.
const FEW: usize = 1024;

/// A target's answer.
#[derive(Debug)]
pub(crate) struct Answered<H = Response<()>> {
    pub(crate) head: H,
    pub(crate) body: AnswerBody,
    /// There when it can carry another request already.
    pub(crate) connection: Option<Connection>,
}

impl<H> Answered<H> {
    pub(crate) fn map<T>(self, change: impl FnOnce(H) -> T) -> Answered<T> {
        Answered { head: change(self.head), body: self.body, connection: self.connection }
    }
}

/// In which form the header of an answer is wanted.
trait TakenHead: Sized {
    /// Takes it off the buffer, once it is there whole.
    fn take(buffer: &mut BytesMut, to_head: bool) -> Result<Option<(Self, Shape)>, Http1Error>;

    fn status(&self) -> StatusCode;
}

impl TakenHead for Response<()> {
    fn take(buffer: &mut BytesMut, to_head: bool) -> Result<Option<(Self, Shape)>, Http1Error> {
        Ok(take_head(buffer, to_head)?.map(|Head { response, shape }| (response, shape)))
    }

    fn status(&self) -> StatusCode {
        self.status()
    }
}

impl TakenHead for PlainHead {
    fn take(buffer: &mut BytesMut, to_head: bool) -> Result<Option<(Self, Shape)>, Http1Error> {
        Self::take(buffer, to_head)
    }

    fn status(&self) -> StatusCode {
        self.status
    }
}

/// What became of a request that got no answer.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Not a byte of it was sent: it can go elsewhere. Its body is back in it.
    Unsent(Http1Error),
    /// It may have been read and acted upon, and not a byte was answered. Its body, if it had one, is gone.
    Unanswered(Http1Error),
    /// Its answer has begun, or its own body ended badly.
    Failed(Http1Error),
}

/// Sends a request and waits for the header of its answer. Takes the request's body only when that can be sent.
pub(crate) async fn exchange(
    connection: Connection,
    request: &mut Request<RequestBody>,
) -> Result<Answered, Lost> {
    let (head, written) = head(request);
    let to_head = *request.method() == Method::HEAD;
    let body = std::mem::replace(request.body_mut(), RequestBody::Empty);
    let announced = if body.is_empty() { Vec::new() } else { trailers::announced(request.headers()) };
    let mut exchange = Exchange::new(connection, Sending::new(head, written, announced, body), to_head);
    match poll_fn(|cx| exchange.poll_head(cx)).await {
        Ok((head, shape)) => Ok(exchange.answered(head, shape)),
        Err(error) => Err(exchange.lost(error, |body| *request.body_mut() = body)),
    }
}

/// The same for a request without a body whose header is written already.
pub(crate) async fn exchange_plain(
    connection: Connection,
    head: Bytes,
    to_head: bool,
) -> Result<Answered<PlainHead>, Lost> {
    let sending = Sending::new(head, Written::Length(0), Vec::new(), RequestBody::Empty);
    let mut exchange = Exchange::new(connection, sending, to_head);
    match poll_fn(|cx| exchange.poll_head(cx)).await {
        Ok((head, shape)) => Ok(exchange.answered(head, shape)),
        Err(error) => Err(exchange.lost(error, drop)),
    }
}

#[derive(Debug)]
struct Exchange {
    connection: Connection,
    /// Until it is sent, or the target takes no more of it.
    sending: Option<Sending>,
    /// What happened when the target took no more.
    stuck: Option<Http1Error>,
    /// Whether a byte was answered.
    begun: bool,
    to_head: bool,
}

impl Exchange {
    fn new(connection: Connection, sending: Sending, to_head: bool) -> Self {
        Self { connection, sending: Some(sending), stuck: None, begun: false, to_head }
    }

    /// Writes and reads at the same time: a target may answer before it has read everything.
    fn poll_head<H: TakenHead>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(H, Shape), Http1Error>> {
        self.poll_send(cx)?;
        loop {
            if self.begun
                && let Some((head, shape)) = H::take(&mut self.connection.buffer, self.to_head)?
            {
                let status = head.status();
                if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                    continue;
                }
                return Poll::Ready(Ok((head, shape)));
            }
            if ready!(self.connection.poll_more(cx, READ))? == 0 {
                return Poll::Ready(Err(Http1Error::Closed));
            }
            self.begun = true;
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), Http1Error> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        if self.stuck.is_some() {
            return Ok(());
        }
        match sending.poll(&mut self.connection.stream, cx) {
            Poll::Ready(Err(Stuck::Client(error))) => Err(error),
            Poll::Ready(Err(Stuck::Target(error))) if sending.has_begun() => {
                self.stuck = Some(Http1Error::Broken(error));
                Ok(())
            }
            Poll::Ready(Err(Stuck::Target(error))) => Err(Http1Error::Broken(error)),
            Poll::Ready(Ok(())) => {
                self.sending = None;
                Ok(())
            }
            Poll::Pending => Ok(()),
        }
    }

    fn answered<H: TakenHead>(self, head: H, shape: Shape) -> Answered<H> {
        let Self { mut connection, sending, stuck, .. } = self;
        let done = sending.is_none();
        if head.status() == StatusCode::SWITCHING_PROTOCOLS {
            let body = AnswerBody::Tunnel(Box::new(connection.into_tunnel()));
            return Answered { head, body, connection: None };
        }
        // Most answers are here whole.
        if let Framing::Length(length) = shape.framing
            && let Ok(length) = usize::try_from(length)
            && length <= connection.buffer.len()
            && done
        {
            let body = AnswerBody::Whole(split_off(&mut connection.buffer, length));
            // What follows the answer was not asked for.
            let keeps = shape.keeps && connection.buffer.is_empty();
            return Answered { head, body, connection: keeps.then_some(connection) };
        }
        let reading = match sending {
            Some(sending) if stuck.is_none() => Reading::early(connection, sending, shape.framing),
            _ => Reading::new(connection, shape.framing, shape.keeps && done),
        };
        Answered { head, body: AnswerBody::Reading(Box::new(reading)), connection: None }
    }

    /// Gives the body back if nothing was sent.
    fn lost(self, error: Http1Error, put_back: impl FnOnce(RequestBody)) -> Lost {
        let Self { sending, stuck, begun, .. } = self;
        let clients = matches!(error, Http1Error::ClientBody(_) | Http1Error::ClientLength);
        let error = stuck.unwrap_or(error);
        match sending {
            _ if begun || clients => Lost::Failed(error),
            Some(sending) if !sending.has_begun() => {
                put_back(sending.into_body());
                Lost::Unsent(error)
            }
            _ => Lost::Unanswered(error),
        }
    }
}

/// So many bytes off a buffer that goes on to be used. A few are copied: else both would have to be counted.
fn split_off(buffer: &mut BytesMut, length: usize) -> Bytes {
    if length > FEW {
        return buffer.split_to(length).freeze();
    }
    let bytes = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
    buffer.advance(length);
    bytes
}
