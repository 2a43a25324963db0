//! Versions of HTTP in which lengths and codings mean something else.

use super::vector::{
    TAG,
    Then::{Closed, Next},
    Vector, passed, passed_as, refused,
};

pub fn vectors() -> Vec<Vector> {
    let unknown = [
        "HTTP/0.9",
        "HTTP/1.2",
        "HTTP/1.9",
        "HTTP/1.10",
        "HTTP/1.11",
        "HTTP/11",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/01.1",
        "HTTP/1.01",
        "HTTP/2.0",
        "HTTP/2",
        "HTTP/3",
        "HTTP/1,1",
        "HTTP/1.1x",
        "HTTP/1.1\0",
        "HTTP /1.1",
        "HTTP/ 1.1",
        "http/1.1",
        "Http/1.1",
        "HTTPS/1.1",
        "HTP/1.1",
        "ICAP/1.0",
        "RTSP/1.0",
        "SIP/2.0",
        "HTTP/-1.1",
        "HTTP/+1.1",
        "HTTP/1.1;x",
        "HTTP\\1.1",
        "HTTP/a.b",
        "HTTP/\u{661}.\u{661}",
    ];
    let mut vectors: Vec<Vector> = unknown
        .iter()
        .map(|version| {
            refused(
                format!("the version is {version:?}"),
                format!("POST /{TAG} {version}\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello"),
            )
        })
        .collect();
    let old =
        |fields: &str, body: &str| format!("POST /{TAG} HTTP/1.0\r\nHost: a.test\r\n{fields}\r\n{body}");
    // Codings came with HTTP/1.1: one that claims to be older has no length that can be believed (RFC 9112, 6.1).
    for fields in [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: Chunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
        "Connection: keep-alive\r\nContent-Length: 15\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let bytes = old(fields, "5\r\nhello\r\n0\r\n\r\n");
        vectors.push(refused(format!("HTTP/1.0 with {fields:?}"), bytes));
    }
    for fields in ["Content-Length: +5\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n"] {
        vectors.push(refused(format!("HTTP/1.0 with {fields:?}"), old(fields, "hello")));
    }
    vectors.extend([
        passed("HTTP/1.0 with a length", old("Content-Length: 5\r\n", "hello"), "hello", Closed),
        passed(
            "HTTP/1.0 with a length, kept alive",
            old("Connection: keep-alive\r\nContent-Length: 5\r\n", "hello"),
            "hello",
            Next,
        ),
        passed("HTTP/1.0 without a length", old("", ""), "", Closed),
        passed("HTTP/1.0 without a length, kept alive", old("Connection: keep-alive\r\n", ""), "", Next),
        passed_as(
            "GET",
            "HTTP/1.0 asking for another protocol",
            format!(
                "GET /{TAG} HTTP/1.0\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            ),
            "",
            Closed,
        ),
    ]);
    // HTTP/0.9 knows no version and no fields.
    for line in [format!("GET /{TAG}\r\n"), format!("GET /{TAG}\n"), format!("GET /{TAG}\r\n\r\n")] {
        vectors.push(refused(format!("HTTP/0.9 as {line:?}"), line));
    }
    vectors
}
