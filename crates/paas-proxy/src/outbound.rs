use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::{
    http1::{self, Answered, Connection, Lost, PlainHead},
    progress::Progress,
    request_body::RequestBody,
    request_check::MAX_FIELDS,
};

/// The fields of a client's header, and those that we add.
const MOST_FIELDS: usize = MAX_FIELDS + 16;

/// A request on its way to a target.
#[derive(Debug)]
pub(crate) enum Outbound {
    Plain(PlainRequest),
    Full(Box<Request<RequestBody>>),
}

/// A request without a body that only has to be passed on. Its header is written already as a target gets it over HTTP/1.1: to make a
/// map of its fields, and a text of the map, would cost as much as everything else about it.
#[derive(Debug)]
pub(crate) struct PlainRequest {
    /// To the empty line.
    pub(crate) head: Bytes,
    pub(crate) to_head: bool,
    /// Whether it may be sent twice (RFC 9110, 9.2.2).
    pub(crate) is_idempotent: bool,
}

/// The header of an answer: plain only to a plain request.
#[derive(Debug)]
pub(crate) enum AnswerHead {
    Plain(PlainHead),
    Full(Response<()>),
}

impl AnswerHead {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Plain(head) => head.status,
            Self::Full(response) => response.status(),
        }
    }
}

impl Outbound {
    pub(crate) fn full_of(request: Request<RequestBody>) -> Self {
        Self::Full(Box::new(request))
    }

    pub(crate) fn progress(&self) -> Option<&Arc<Progress>> {
        match self {
            Self::Plain(_) => None,
            Self::Full(request) => request.body().progress(),
        }
    }

    /// The request line up to the query, which may hold secrets; of a plain one.
    pub(crate) fn line(&self) -> Option<&str> {
        let Self::Plain(plain) = self else { return None };
        plain
            .head
            .split(|byte| matches!(byte, b'?' | b'\r'))
            .next()
            .and_then(|line| std::str::from_utf8(line).ok())
    }

    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self, Self::Full(request) if request.body().is_streaming())
    }

    /// Its body once more, if it may be sent twice.
    pub(crate) fn again(&self) -> Option<RequestBody> {
        match self {
            Self::Plain(request) => request.is_idempotent.then_some(RequestBody::Empty),
            Self::Full(request) => request.method().is_idempotent().then(|| request.body().again())?,
        }
    }

    /// Puts back what [`Outbound::again`] gave.
    pub(crate) fn restore(&mut self, body: RequestBody) {
        if let Self::Full(request) = self {
            *request.body_mut() = body;
        }
    }

    /// With a map of its fields: for who wants to read or change them.
    pub(crate) fn full(&mut self) -> &mut Request<RequestBody> {
        if let Self::Plain(plain) = self {
            *self = Self::full_of(plain.read());
        }
        match self {
            Self::Full(request) => request,
            Self::Plain(_) => unreachable!(),
        }
    }

    /// Over HTTP/1.1.
    pub(crate) async fn send(&mut self, connection: Connection) -> Result<Answered<AnswerHead>, Lost> {
        match self {
            Self::Plain(plain) => {
                let answered = http1::exchange_plain(connection, plain.head.clone(), plain.to_head).await?;
                Ok(answered.map(AnswerHead::Plain))
            }
            Self::Full(request) => Ok(http1::exchange(connection, request).await?.map(AnswerHead::Full)),
        }
    }
}

impl PlainRequest {
    /// It was written by us, so that it can be read.
    fn read(&self) -> Request<RequestBody> {
        let mut fields = [const { std::mem::MaybeUninit::uninit() }; MOST_FIELDS];
        let mut parsed = httparse::Request::new(&mut []);
        let mut request = Request::new(RequestBody::Empty);
        let _ = parsed.parse_with_uninit_headers(&self.head, &mut fields);
        if let Some(method) = parsed.method.and_then(|method| Method::from_bytes(method.as_bytes()).ok()) {
            *request.method_mut() = method;
        }
        if let Some(target) = parsed.path.and_then(|target| target.parse().ok()) {
            *request.uri_mut() = target;
        }
        for field in &*parsed.headers {
            let name = http::HeaderName::from_bytes(field.name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, http::HeaderValue::from_bytes(field.value)) {
                request.headers_mut().append(name, value);
            }
        }
        request
    }
}
