use bytes::{BufMut, Bytes, BytesMut};
use http::{
    Request,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use http_body::Body;

use crate::request_body::RequestBody;

/// How a request's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// With this many bytes to come.
    Length(u64),
    Chunked,
}

/// What most heads fit into.
const USUAL: usize = 1024;

/// The request line and the header as they are sent. How long the body is says the body, not the client's field: it may have come
/// over another version of HTTP.
pub(crate) fn head(request: &Request<RequestBody>) -> (Bytes, Written) {
    let (method, body) = (request.method(), request.body());
    let mut head = BytesMut::with_capacity(USUAL);
    head.put_slice(method.as_str().as_bytes());
    head.put_u8(b' ');
    let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
    head.put_slice(target.as_bytes());
    head.put_slice(b" HTTP/1.1\r\n");
    for (name, value) in request.headers() {
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
            continue;
        }
        head.put_slice(name.as_str().as_bytes());
        head.put_slice(b": ");
        head.put_slice(value.as_bytes());
        head.put_slice(b"\r\n");
    }
    let written = match body.size_hint().exact() {
        Some(length) => Written::Length(length),
        None => Written::Chunked,
    };
    match written {
        Written::Chunked => head.put_slice(b"transfer-encoding: chunked\r\n"),
        Written::Length(0)
            if !expects_body(method.as_str()) && !request.headers().contains_key(CONTENT_LENGTH) => {}
        Written::Length(length) => {
            head.put_slice(b"content-length: ");
            head.put_slice(length.to_string().as_bytes());
            head.put_slice(b"\r\n");
        }
    }
    head.put_slice(b"\r\n");
    (head.freeze(), written)
}

/// Methods whose server waits for a body unless it is told that there is none (RFC 9110, 8.6).
pub(crate) fn expects_body(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(method: &str, fields: &[(&str, &str)]) -> String {
        let mut request = Request::builder().method(method).uri("/a%2F?b=%00");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let head = head(&request.body(RequestBody::Empty).unwrap()).0;
        String::from_utf8(head.to_vec()).unwrap()
    }

    #[test]
    fn path_and_fields_are_written_as_they_are() {
        assert_eq!(
            written("GET", &[("host", "a.b"), ("x-a", "1"), ("x-a", "2")]),
            "GET /a%2F?b=%00 HTTP/1.1\r\nhost: a.b\r\nx-a: 1\r\nx-a: 2\r\n\r\n"
        );
    }

    #[test]
    fn the_length_is_that_of_the_body() {
        assert!(written("POST", &[]).ends_with("\r\ncontent-length: 0\r\n\r\n"));
        assert!(written("GET", &[("content-length", "0")]).ends_with("\r\ncontent-length: 0\r\n\r\n"));
        let lies = [("content-length", "7"), ("transfer-encoding", "chunked")];
        assert_eq!(written("PUT", &lies).matches("content-length: 0").count(), 1);
        assert!(!written("PUT", &lies).contains("chunked"));
    }
}
