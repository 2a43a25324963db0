//! `Connection` and what it names, `Upgrade` before a 101, `Expect`, fields that some servers take for a length.

use super::vector::{
    TAG,
    Then::{Closed, Next},
    Vector, passed, passed_as, post, request,
};

const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";

pub fn vectors() -> Vec<Vector> {
    [named(), upgrades(), expectations(), misread()].concat()
}

/// A field that belongs to one hop goes; the framing stays (RFC 9110, 7.6.1).
fn named() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for connection in [
        "Content-Length",
        "Transfer-Encoding",
        "content-length, transfer-encoding",
        "keep-alive, Content-Length",
        "host",
        "Host, Content-Length, Transfer-Encoding",
        "x-forwarded-for, content-length",
        "upgrade",
        "te, trailer, transfer-encoding",
        ",,Content-Length,,",
        "\"Content-Length\"",
        "",
    ] {
        for (fields, body) in [("Content-Length: 5\r\n", "hello"), ("Transfer-Encoding: chunked\r\n", CHUNKS)]
        {
            let fields = format!("Connection: {connection}\r\n{fields}");
            vectors.push(passed(format!("{fields:?}"), post(&fields, body), "hello", Next));
        }
    }
    for connection in
        ["close", "Close", "close, Content-Length", "Content-Length, close", "keep-alive, close"]
    {
        for (fields, body) in [("Content-Length: 5\r\n", "hello"), ("Transfer-Encoding: chunked\r\n", CHUNKS)]
        {
            let fields = format!("Connection: {connection}\r\n{fields}");
            vectors.push(passed(format!("{fields:?}"), post(&fields, body), "hello", Closed));
        }
    }
    vectors
}

/// Nothing is a tunnel before the backend's 101: what stands behind is the next request, whatever was asked for.
fn upgrades() -> Vec<Vector> {
    let protocols = [
        "websocket",
        "WebSocket",
        "h2c",
        "H2C",
        "h2c, websocket",
        "websocket, h2c",
        "HTTP/2.0",
        "TLS/1.0",
        "anything",
        "chunked",
        "",
    ];
    let mut vectors = Vec::new();
    for protocol in protocols {
        for (name, more) in [
            ("", "Connection: Upgrade\r\n"),
            ("with settings", "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            ("unnamed", ""),
        ] {
            let fields = format!("{more}Upgrade: {protocol}\r\n");
            vectors.push(passed_as(
                "GET",
                format!("an upgrade to {protocol:?} {name}"),
                request(&format!("GET /{TAG} HTTP/1.1"), &fields, ""),
                "",
                Next,
            ));
        }
        for (fields, body) in [("Content-Length: 5\r\n", "hello"), ("Transfer-Encoding: chunked\r\n", CHUNKS)]
        {
            let fields = format!("Connection: Upgrade\r\nUpgrade: {protocol}\r\n{fields}");
            vectors.push(passed(
                format!("an upgrade with a body, {fields:?}"),
                post(&fields, body),
                "hello",
                Next,
            ));
        }
    }
    let twice = "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n";
    vectors.push(passed_as(
        "GET",
        "two upgrades",
        request(&format!("GET /{TAG} HTTP/1.1"), twice, ""),
        "",
        Next,
    ));
    vectors
}

fn expectations() -> Vec<Vector> {
    let mut vectors = Vec::new();
    for expect in [
        "100-continue",
        "100-Continue",
        "100-continue, x",
        "x",
        "",
        "100-continue\r\nExpect: 100-continue",
        "y=\r\n",
    ] {
        let expect = expect.trim_end();
        for (fields, body, expected) in [
            ("Content-Length: 5\r\n", "hello", "hello"),
            ("Transfer-Encoding: chunked\r\n", CHUNKS, "hello"),
            ("", "", ""),
            ("Content-Length: 0\r\n", "", ""),
        ] {
            let fields = format!("Expect: {expect}\r\n{fields}");
            vectors.push(passed(format!("{fields:?}"), post(&fields, body), expected, Next));
        }
    }
    vectors
}

/// Fields by which a backend could take less or more than it is sent for the body.
fn misread() -> Vec<Vector> {
    [
        // Once read as eight bytes of a body without length.
        "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n",
        "Sec-WebSocket-Key1: x\r\nSec-WebSocket-Key2: y\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n",
        "Content_Length: 40\r\n",
        "Content-Length_: 40\r\n",
        "Transfer_Encoding: chunked\r\n",
        "X-Content-Length: 40\r\n",
        "X-Http-Method-Override: HEAD\r\n",
        "X-Http-Method: CONNECT\r\n",
        "Content-Range: bytes 0-4/5\r\n",
        "Range: bytes=0-4\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Type: multipart/byteranges; boundary=x\r\n",
        "TE: chunked\r\n",
        "TE: trailers, chunked;q=1\r\n",
        "Trailer: Content-Length\r\n",
        "Keep-Alive: timeout=5, max=1\r\n",
        "Proxy-Connection: close\r\n",
        "Proxy-Connection: keep-alive\r\n",
        "Max-Forwards: 0\r\n",
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n",
        "X-Forwarded-For: a\r\nForwarded: \"\r\n",
        "Via: 1.0 x\r\n",
        "Pragma: x\r\n",
        ":path: /other\r\n".get(1..).unwrap_or_default(),
    ]
    .iter()
    .flat_map(|&fields| {
        let length = format!("{fields}Content-Length: 5\r\n");
        [
            passed(format!("a body after {fields:?}"), post(&length, "hello"), "hello", Next),
            passed(format!("no body after {fields:?}"), post(fields, ""), "", Next),
        ]
    })
    .collect()
}
