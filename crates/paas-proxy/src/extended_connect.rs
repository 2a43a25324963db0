//! WebSockets over HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220): the client opens a stream with an extended CONNECT, the target is
//! asked with the `Upgrade` of HTTP/1.1 that it knows.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method, header::SEC_WEBSOCKET_KEY, request::Parts};
use hyper::ext::Protocol;

use crate::failure::Failure;

/// Whether a CONNECT is an extended one, and for a protocol we know.
pub(crate) fn check(parts: &Parts) -> Result<(), Failure> {
    let Some(protocol) = parts.extensions.get::<Protocol>() else { return Err(Failure::MethodNotAllowed) };
    if protocol.as_str() != "websocket" {
        return Err(Failure::UnknownProtocol);
    }
    // RFC 8441, 4: it names a place like any other request.
    if parts.uri.scheme().is_some() && parts.uri.path_and_query().is_some() {
        Ok(())
    } else {
        Err(Failure::BadRequest)
    }
}

/// Makes an extended CONNECT the request a target knows; gives the protocol to ask it for. The key is for the target alone:
/// the client has none (RFC 8441, 5).
pub(crate) fn to_get(parts: &mut Parts) -> HeaderValue {
    parts.method = Method::GET;
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    if let Ok(key) = HeaderValue::from_str(&key) {
        parts.headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    HeaderValue::from_static("websocket")
}
