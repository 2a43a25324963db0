use std::{
    future::poll_fn,
    task::{Context, Poll, ready},
};

use http::{Method, Request, Response};

use super::{
    answer_body::{AnswerBody, Reading},
    connection::Connection,
    error::Http1Error,
    framing::Framing,
    request_head::head,
    response_head::{Head, take_head},
    sending::{Sending, Stuck},
    trailers,
};
use crate::request_body::RequestBody;

/// Enough for most answers; a header that is longer is read in more steps.
const READ: usize = 8 * 1024;

/// A target's answer. The connection is there when it can carry another request already.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) response: Response<AnswerBody>,
    pub(crate) connection: Option<Connection>,
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
    let method = request.method().clone();
    let body = std::mem::replace(request.body_mut(), RequestBody::Empty);
    let announced = if body.is_empty() { Vec::new() } else { trailers::announced(request.headers()) };
    let mut exchange = Exchange {
        connection,
        sending: Some(Sending::new(head, written, announced, body)),
        stuck: None,
        begun: false,
        method,
    };
    match poll_fn(|cx| exchange.poll_head(cx)).await {
        Ok(head) => Ok(exchange.answered(head)),
        Err(error) => Err(exchange.lost(error, request)),
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
    method: Method,
}

impl Exchange {
    /// Writes and reads at the same time: a target may answer before it has read everything.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Http1Error>> {
        self.poll_send(cx)?;
        loop {
            if self.begun
                && let Some(head) = take_head(&self.method, &mut self.connection.buffer)?
            {
                let status = head.response.status();
                if status.is_informational() && status != http::StatusCode::SWITCHING_PROTOCOLS {
                    continue;
                }
                return Poll::Ready(Ok(head));
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

    fn answered(self, head: Head) -> Answered {
        let Self { mut connection, sending, stuck, .. } = self;
        let Head { response, shape } = head;
        let done = sending.is_none();
        if response.status() == http::StatusCode::SWITCHING_PROTOCOLS {
            let tunnel = AnswerBody::Tunnel(Box::new(connection.into_tunnel()));
            return Answered { response: response.map(|()| tunnel), connection: None };
        }
        // Most answers are here whole.
        if let Framing::Length(length) = shape.framing
            && let Ok(length) = usize::try_from(length)
            && length <= connection.buffer.len()
            && done
        {
            let body = AnswerBody::Whole(connection.buffer.split_to(length).freeze());
            // What follows the answer was not asked for.
            let keeps = shape.keeps && connection.buffer.is_empty();
            return Answered { response: response.map(|()| body), connection: keeps.then_some(connection) };
        }
        let reading = match sending {
            Some(sending) if stuck.is_none() => Reading::early(connection, sending, shape.framing),
            _ => Reading::new(connection, shape.framing, shape.keeps && done),
        };
        Answered { response: response.map(|()| AnswerBody::Reading(Box::new(reading))), connection: None }
    }

    /// Gives the body back if nothing was sent.
    fn lost(self, error: Http1Error, request: &mut Request<RequestBody>) -> Lost {
        let Self { sending, stuck, begun, .. } = self;
        let clients = matches!(error, Http1Error::ClientBody(_) | Http1Error::ClientLength);
        let error = stuck.unwrap_or(error);
        match sending {
            _ if begun || clients => Lost::Failed(error),
            Some(sending) if !sending.has_begun() => {
                *request.body_mut() = sending.into_body();
                Lost::Unsent(error)
            }
            _ => Lost::Unanswered(error),
        }
    }
}
