//! Connections of our own to the engine's socket, for what the client library cannot say: a BuildKit session, a cancellable build, an event
//! stream that is known to have begun.

use std::{io, path::Path};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;

use crate::{error::EngineError, failure::protocol};

/// Whatever a request carries.
pub(crate) type WireBody = UnsyncBoxBody<Bytes, io::Error>;

/// A JSON line longer than this is not the engine's.
const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// One connection for one request. Dropping it closes the connection, which the engine takes as "stop".
pub(crate) struct Wire {
    sender: http1::SendRequest<WireBody>,
    driver: AbortOnDropHandle<()>,
}

/// An answer and the connection it still comes over.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    pub(crate) driver: AbortOnDropHandle<()>,
}

/// The engine's error body.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Wire {
    /// Connects.
    pub(crate) async fn open(socket: &Path) -> Result<Self, EngineError> {
        let stream =
            UnixStream::connect(socket).await.map_err(|error| EngineError::Unavailable(Box::new(error)))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| protocol("open a connection", error))?;
        let driver = tokio::spawn(async move {
            // Whoever asked sees the same failure in the answer.
            let _ = connection.with_upgrades().await;
        });
        Ok(Self { sender, driver: AbortOnDropHandle::new(driver) })
    }

    /// Sends the connection's only request.
    pub(crate) async fn send(mut self, request: Request<WireBody>) -> Result<Answer, hyper::Error> {
        let response = self.sender.send_request(request).await?;
        Ok(Answer { response, driver: self.driver })
    }
}

/// A request without an API version in its path: the engine then speaks its newest, whatever it is (20.10 … 29).
pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "docker")
}

/// A body that is there already.
pub(crate) fn full(bytes: impl Into<Bytes>) -> WireBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// The engine's words in an answer that is not a success.
pub(crate) async fn refusal(response: Response<Incoming>) -> String {
    let status = response.status();
    let body = match response.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => refusal.message,
        Err(_) if body.is_empty() => status.to_string(),
        Err(_) => String::from_utf8_lossy(&body).trim().to_owned(),
    }
}

/// The lines of a streamed JSON answer, without their newline. The connection lives as long as the stream.
pub(crate) fn lines(answer: Answer) -> impl Stream<Item = io::Result<Vec<u8>>> + Send {
    let Answer { response, driver } = answer;
    let body = response.into_body().into_data_stream().map_err(io::Error::other);
    stream::try_unfold((body, Vec::new(), driver), |(mut body, mut pending, driver)| async move {
        let mut searched = 0;
        loop {
            if let Some(end) = pending[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = pending.split_off(searched + end + 1);
                pending.pop();
                return Ok(Some((pending, (body, rest, driver))));
            }
            searched = pending.len();
            if searched > MAX_LINE_BYTES {
                return Err(io::Error::other("a line of the answer has no end"));
            }
            match body.try_next().await? {
                Some(chunk) => pending.extend_from_slice(&chunk),
                None if pending.is_empty() => return Ok(None),
                None => return Ok(Some((pending, (body, Vec::new(), driver)))),
            }
        }
    })
}

const HEX: [u8; 16] = *b"0123456789ABCDEF";

/// A query string of names and values (RFC 3986: everything but unreserved characters is escaped).
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                text.push(char::from(byte));
            } else {
                text.push('%');
                text.extend([byte >> 4, byte & 0xf].map(|digit| char::from(HEX[usize::from(digit)])));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_escaped() {
        assert_eq!(
            query(&[("t", "paas/app-1:d7"), ("a", "x&y=ä +\n")]),
            "?t=paas%2Fapp-1%3Ad7&a=x%26y%3D%C3%A4%20%2B%0A"
        );
        assert_eq!(query(&[]), "");
    }
}
