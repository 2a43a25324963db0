use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, header::TRAILER};

use crate::{
    forwarded::is_claim,
    headers::{is_hop_by_hop, tokens},
};

/// The fields that a request announces to come after its body (RFC 9110, 6.6.2).
pub(crate) fn announced(headers: &HeaderMap) -> Vec<HeaderName> {
    tokens(headers, &TRAILER).filter_map(|name| name.parse().ok()).filter(may_follow).collect()
}

/// Servers may put trailers among the other fields, so none may follow that says how a request is read, where it goes, who sent
/// it, or what it contains (RFC 9110, 6.5.1).
fn may_follow(name: &HeaderName) -> bool {
    let name = name.as_str();
    !is_hop_by_hop(name.as_bytes())
        && !is_claim(name)
        && !["host", "authorization", "cookie", "expect", "trailer", "range"].contains(&name)
        && !name.starts_with("content-")
        && !name.starts_with("if-")
}

/// The end of a chunked body.
pub(crate) fn end(trailers: &HeaderMap, announced: &[HeaderName]) -> Bytes {
    if trailers.is_empty() || announced.is_empty() {
        return Bytes::from_static(b"0\r\n\r\n");
    }
    let mut end = BytesMut::from(&b"0\r\n"[..]);
    for (name, value) in trailers.iter().filter(|(name, _)| announced.contains(name)) {
        end.put_slice(name.as_str().as_bytes());
        end.put_slice(b": ");
        end.put_slice(value.as_bytes());
        end.put_slice(b"\r\n");
    }
    end.put_slice(b"\r\n");
    end.freeze()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_was_announced_and_is_harmless_follows() {
        let map = |fields: &[(&'static str, &'static str)]| -> HeaderMap {
            let field = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
            fields.iter().map(field).collect()
        };
        let announced = announced(&map(&[("trailer", "X-Sum, content-length, X-Forwarded-For, host")]));
        let trailers = map(&[
            ("x-sum", "1"),
            ("x-other", "2"),
            ("content-length", "9"),
            ("x-forwarded-for", "6.6.6.6"),
            ("host", "evil"),
        ]);
        assert_eq!(end(&trailers, &announced), "0\r\nx-sum: 1\r\n\r\n");
        assert_eq!(end(&trailers, &[]), "0\r\n\r\n");
    }
}
