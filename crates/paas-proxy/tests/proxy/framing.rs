//! Requests that two servers could read in two ways.

use crate::support::{RawApp, TestProxy};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn refused_and_closed_before_the_app_sees_anything() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    for (status, request) in [
        (400, "GET / HTTP/1.1\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a.test, b.test\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost : a.test\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a.test\r\nX: 1\r\n folded\r\n\r\n"),
        (400, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        (400, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +5\r\n\r\nhello"),
        (400, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5, 5\r\n\r\nhello"),
        (400, "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        (400, "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
        (
            400,
            "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            400,
            "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n0\r\n\r\n",
        ),
        (400, "POST / HTTP/1.0\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (501, "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        (405, "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        (400, "GET http://u:p@a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nHost: a.test\r\nX\0Y: 1\r\n\r\n"),
        (400, "GET /a b HTTP/1.1\r\nHost: a.test\r\n\r\n"),
        (400, "GET / HTTP/1.1\nHost: a.test\r\nBad Name: 1\r\n\r\n"),
    ] {
        let mut wire = proxy.connect().await;
        wire.send(format!("{request}GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
        let bytes = wire.rest().await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} "))
                || text.starts_with(&format!("HTTP/1.0 {status} ")),
            "{request:?}: {text}"
        );
        assert_eq!(text.matches("HTTP/1.").count(), 1, "one answer, then the end: {request:?}: {text}");
    }
    assert_eq!(app.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_broken_chunk_is_the_clients_fault() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n")
        .await;
    let text = String::from_utf8_lossy(&wire.rest().await).into_owned();
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    assert_eq!(app.seen(), Vec::<String>::new(), "the app never sees a whole request");
}

#[tokio::test]
async fn limits_are_exact() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let path = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a.test\r\n\r\n", "x".repeat(length - 1));
    let fields =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: a.test\r\n{}\r\n", "X: 1\r\n".repeat(count - 1));
    let header = |length: usize| {
        let around = "GET / HTTP/1.1\r\nHost: a.test\r\nX: \r\n\r\n".len();
        format!("GET / HTTP/1.1\r\nHost: a.test\r\nX: {}\r\n\r\n", "x".repeat(length - around))
    };
    for (status, request) in [
        (200, path(8192)),
        (414, path(8193)),
        (200, fields(100)),
        (431, fields(101)),
        (200, header(32 * 1024)),
        (431, header(32 * 1024 + 1)),
    ] {
        let mut wire = proxy.connect().await;
        wire.send(&request).await;
        let head = wire.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {head}");
    }
}
