use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use h3::{
    error::{Code, StreamError},
    server::RequestStream,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{CONNECTION, CONTENT_LENGTH, DATE, TRANSFER_ENCODING, UPGRADE},
};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::{Http3Body, connection::Resolver, meter::Meter};
use crate::{client_body::ClientBody, date::date, http1, outgoing::Outgoing, service::Visitor};

/// Fields that HTTP/3 does not have (RFC 9114, 4.2).
const FORBIDDEN: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Answers one request.
pub(super) async fn exchange(visitor: Arc<Visitor>, resolver: Resolver, meter: Arc<Meter>) {
    let limits = visitor.shared.limits.clone();
    let Ok(Ok((request, stream))) = timeout(limits.header_timeout, resolver.resolve_request()).await else {
        return;
    };
    let (send, mut receive) = stream.split();
    let mut answering = Answering { stream: send, whole: false };
    let Ok(length) = checked_length(request.headers()) else {
        receive.stop_sending(Code::H3_MESSAGE_ERROR);
        return answering.stream.stop_stream(Code::H3_MESSAGE_ERROR);
    };
    let is_head = request.method() == Method::HEAD;
    let mut body = Http3Body::new(receive, meter, length);
    if !seen_to_begin(&mut body, request.method(), limits.header_timeout).await {
        return;
    }
    let request: Request<ClientBody> = request.map(|()| ClientBody::Http3(Box::new(body)));
    let tunnels = visitor.shared.stop.tunnels.clone();
    let Ok(response) = visitor.answer(request).await;
    let response = Outgoing::response(response, &tunnels);
    if let Err(error) = answering.send(response, is_head, limits.stall_timeout).await {
        tracing::debug!(error = %error, "an answer was not sent to its end");
    }
}

/// A message that breaks the rules of HTTP/3 (RFC 9114, 4.1.2).
#[derive(Debug)]
struct Malformed;

/// The told length of the body, if it was.
fn checked_length(headers: &HeaderMap) -> Result<Option<u64>, Malformed> {
    if FORBIDDEN.iter().any(|name| headers.contains_key(name)) {
        return Err(Malformed);
    }
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(None) };
    match (http1::length(length.as_bytes()), lengths.next()) {
        (Some(length), None) => Ok(Some(length)),
        _ => Err(Malformed),
    }
}

/// Looks whether there is a body: the end of the stream may come after the header. Methods that have none by themselves wait
/// for that, so that a target gets a GET as it knows it. False when the stream broke.
async fn seen_to_begin(body: &mut Http3Body, method: &Method, patience: Duration) -> bool {
    let has_body = http1::expects_body(method.as_str());
    let begun = if has_body {
        body.begin().now_or_never().unwrap_or(Ok(()))
    } else {
        match timeout(patience, body.begin()).await {
            Ok(begun) => begun,
            Err(_) => return false,
        }
    };
    begun.is_ok()
}

/// An answer on its way. What is not sent to its end is cut off for the client to see: a stream that is merely dropped would
/// look complete.
struct Answering {
    stream: RequestStream<h3_quinn::SendStream<Bytes>, Bytes>,
    whole: bool,
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the stream broke")]
    Stream(#[from] StreamError),
    #[error("the client takes nothing")]
    Stalled(#[from] tokio::time::error::Elapsed),
    #[error("the answer broke off")]
    Body(#[from] crate::body::BodyError),
}

impl Answering {
    async fn send(
        &mut self,
        response: Response<Outgoing>,
        is_head: bool,
        stall: Duration,
    ) -> Result<(), SendError> {
        let (mut parts, mut body) = response.into_parts();
        complete(&mut parts.headers, &body, is_head);
        timeout(stall, self.stream.send_response(Response::from_parts(parts, ()))).await??;
        while let Some(frame) = if is_head { None } else { body.frame().await } {
            match frame?.into_data() {
                Ok(data) => timeout(stall, self.stream.send_data(data)).await??,
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        timeout(stall, self.stream.send_trailers(trailers)).await??;
                    }
                }
            }
        }
        timeout(stall, self.stream.finish()).await??;
        self.whole = true;
        Ok(())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if !self.whole {
            self.stream.stop_stream(Code::H3_INTERNAL_ERROR);
        }
    }
}

/// Adds what hyper adds to the answers of HTTP/1.1 and HTTP/2.
fn complete(headers: &mut HeaderMap, body: &Outgoing, is_head: bool) {
    if !headers.contains_key(DATE) {
        headers.insert(DATE, date());
    }
    if let Some(length) = body.size_hint().exact().filter(|length| *length > 0 && !is_head) {
        headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
}
