use bytes::{BufMut, BytesMut};
use http::{
    HeaderValue, Method, Response, StatusCode, Version,
    header::{CONNECTION, CONTENT_LENGTH, DATE},
    response::Parts,
};
use http_body::Body;
use hyper::ext::ReasonPhrase;

use super::{
    head::{Coming, Facts},
    sending::Sending,
};
use crate::{
    body::ResponseBody,
    date::date,
    http1::{PlainHead, announced},
    outgoing::Outgoing,
    shared::Stop,
};

/// What most heads fit into.
const USUAL: usize = 1024;

/// An answer ready to be sent, and whether another request may follow it.
pub(super) struct Ready {
    pub(super) sending: Sending,
    pub(super) keeps: bool,
    pub(super) status: StatusCode,
}

/// To what an answer is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) version: Version,
    pub(super) to_head: bool,
    pub(super) facts: Facts,
}

impl Asked {
    pub(super) fn new(method: &Method, version: Version, facts: Facts) -> Self {
        Self { version, to_head: *method == Method::HEAD, facts }
    }

    /// A request of HTTP/1.1 about which nothing else is known.
    pub(super) fn plainly() -> Self {
        let facts = Facts { body: Coming::Length(0), keeps: false, expects: false, takes_trailers: false };
        Self { version: Version::HTTP_11, to_head: false, facts }
    }
}

/// How an answer's body is written (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Length(u64),
    Chunked,
    UntilClose,
}

/// An answer with a map of its fields.
pub(super) fn full(response: Response<ResponseBody>, asked: Asked, keeps: bool, stop: &Stop) -> Ready {
    let (parts, body) = Outgoing::response(response, &stop.tunnels).into_parts();
    let written = written(&parts, &body, asked);
    let switches = parts.status == StatusCode::SWITCHING_PROTOCOLS;
    let closes = parts.headers.get_all(CONNECTION).iter().any(|value| value == "close");
    let keeps = keeps && !closes && !switches && written != Written::UntilClose;
    let mut head = head(&parts, asked, written);
    if !switches {
        connection(&mut head, asked.version, keeps);
    }
    head.put_slice(b"\r\n");
    let announced = match written {
        Written::Chunked if asked.facts.takes_trailers => announced(&parts.headers),
        _ => Vec::new(),
    };
    let body = (written != Written::Nothing).then_some(body);
    let sending = Sending::new(head.freeze(), body, written == Written::Chunked, announced);
    Ready { sending, keeps, status: parts.status }
}

/// An answer whose header is written already, to a request of HTTP/1.1.
pub(super) fn plain(mut head: PlainHead, body: ResponseBody, keeps: bool, stop: &Stop) -> Ready {
    if !head.has_date {
        head.put(b"date", date().as_bytes());
    }
    let keeps = keeps && !stop.has_begun();
    connection(&mut head.text, Version::HTTP_11, keeps);
    head.text.put_slice(b"\r\n");
    let status = head.status;
    let body = Outgoing::body(body, head.is_event_stream, &stop.tunnels);
    Ready {
        sending: Sending::new(head.text.freeze(), Some(body), head.is_chunked, Vec::new()),
        keeps,
        status,
    }
}

fn written(parts: &Parts, body: &Outgoing, asked: Asked) -> Written {
    let bodiless = asked.to_head
        || parts.status.is_informational()
        || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match body.size_hint().exact() {
        _ if bodiless => Written::Nothing,
        Some(length) => Written::Length(length),
        None if asked.version == Version::HTTP_11 => Written::Chunked,
        None => Written::UntilClose,
    }
}

/// The status line and the fields, without the empty line at the end.
fn head(parts: &Parts, asked: Asked, written: Written) -> BytesMut {
    let mut head = BytesMut::with_capacity(USUAL);
    head.put_slice(if asked.version == Version::HTTP_10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    head.put_slice(parts.status.as_str().as_bytes());
    head.put_u8(b' ');
    let reason = parts.extensions.get::<ReasonPhrase>().map(ReasonPhrase::as_bytes);
    head.put_slice(reason.or(parts.status.canonical_reason().map(str::as_bytes)).unwrap_or_default());
    head.put_slice(b"\r\n");
    for (name, value) in &parts.headers {
        let is_framing = *name == CONTENT_LENGTH || (*name == CONNECTION && value == "close");
        if !is_framing {
            field(&mut head, name.as_str(), value.as_bytes());
        }
    }
    if let Some(length) = length(parts, written) {
        field(&mut head, "content-length", length.as_bytes());
    }
    if written == Written::Chunked {
        field(&mut head, "transfer-encoding", b"chunked");
    }
    if !parts.headers.contains_key(DATE) && !parts.status.is_informational() {
        field(&mut head, "date", date().as_bytes());
    }
    head
}

/// An answer without a body may say how long it would be (RFC 9110, 8.6).
fn length(parts: &Parts, written: Written) -> Option<HeaderValue> {
    match written {
        Written::Length(length) => Some(HeaderValue::from(length)),
        Written::Nothing if !parts.status.is_informational() && parts.status != StatusCode::NO_CONTENT => {
            parts.headers.get(CONTENT_LENGTH).cloned()
        }
        _ => None,
    }
}

fn connection(head: &mut BytesMut, version: Version, keeps: bool) {
    match (keeps, version) {
        (false, _) => field(head, "connection", b"close"),
        (true, Version::HTTP_10) => field(head, "connection", b"keep-alive"),
        (true, _) => {}
    }
}

fn field(head: &mut BytesMut, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.put_slice(part);
    }
}
