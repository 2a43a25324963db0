use std::time::{Duration, Instant};

use paas_proxy::{HoldPolicy, Limits, RequestPolicy};

use tokio::io::AsyncBufReadExt;

use crate::support::{App, PROMPT, RawApp, TestProxy, limits, until};

/// What apps and their visitors are told.
#[test]
fn limits_are_these_unless_somebody_says_otherwise() {
    let limits = Limits::default();
    let Limits { header_timeout, idle_timeout, body_grace, body_rate, shutdown_timeout, .. } = limits;
    assert_eq!((header_timeout, idle_timeout), (Duration::from_secs(10), Duration::from_mins(1)));
    assert_eq!((body_grace, body_rate), (Duration::from_secs(30), 500));
    assert_eq!(shutdown_timeout, Duration::from_secs(30));
    let Limits { stall_timeout, response_timeout, connect_timeout, .. } = limits;
    assert_eq!((stall_timeout, response_timeout), (Duration::from_mins(1), Duration::from_mins(1)));
    assert_eq!(connect_timeout, Duration::from_secs(5));
    let RequestPolicy { max_body, request_timeout_ms, response_timeout_ms, hold, .. } =
        RequestPolicy::default();
    assert_eq!(max_body, 1 << 30);
    assert_eq!((request_timeout_ms, response_timeout_ms), (None, None), "those of the proxy");
    assert_eq!(hold, HoldPolicy { timeout_ms: 30_000, requests: 1_000 });
}

#[tokio::test]
async fn slow_headers_and_silent_connections_are_closed() {
    let header_timeout = Duration::from_millis(300);
    let proxy = TestProxy::start_with(Limits { header_timeout, ..limits() }).await;
    for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a.test\r\n", "PRI * HT"] {
        let mut wire = proxy.connect().await;
        let start = Instant::now();
        wire.send(begin).await;
        let rest = wire.rest().await;
        assert!(rest.is_empty(), "{begin:?}: {rest:?}");
        // Sooner than any other limit would end it.
        assert!(start.elapsed() < PROMPT, "{begin:?}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_header() {
    let header_timeout = Duration::from_secs(1);
    let proxy = TestProxy::start_with(Limits { header_timeout, ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    for _ in 0..2 {
        assert_eq!(wire.get("a.test", "/").await.status, 200);
        // Longer than a header may take: that is what is tested.
        tokio::time::sleep(header_timeout + Duration::from_millis(200)).await;
    }
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    // A second header that never ends.
    let start = Instant::now();
    wire.send("GET / HTTP/1.1\r\n").await;
    assert_eq!(wire.rest().await, b"");
    assert!(start.elapsed() < PROMPT, "{:?}", start.elapsed());

    let (header_timeout, idle_timeout) = (Duration::from_mins(1), Duration::from_millis(900));
    let proxy = TestProxy::start_with(Limits { header_timeout, idle_timeout, ..limits() }).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    let begin = Instant::now();
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    assert_eq!(wire.rest().await, b"");
    assert!(begin.elapsed() >= idle_timeout, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_left() {
    let proxy = TestProxy::start_with(Limits { stall_timeout: Duration::from_millis(300), ..limits() }).await;
    let length = 32 * 1024 * 1024;
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + length, b'x');
    let app = RawApp::start(answer.leak()).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the request", async || !app.seen().is_empty()).await;
    until("its end", async || proxy.in_flight("c1").await == Some(0)).await;
    assert!(wire.rest().await.len() < length);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_and_do_not_hold_up_the_end() {
    let proxy = TestProxy::start_with(Limits { max_connections: 2, ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut first = proxy.connect().await;
    let mut second = proxy.connect().await;
    first.get("a.test", "/").await;
    second.get("a.test", "/").await;
    let mut third = proxy.connect().await;
    third.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert!(tokio::time::timeout(Duration::from_millis(100), third.0.fill_buf()).await.is_err());
    drop(first);
    assert_eq!(third.answer().await.status, 200);
    proxy.stop().await;
}

#[tokio::test]
async fn a_long_request_is_not_idle() {
    let (header_timeout, idle_timeout) = (Duration::from_millis(300), Duration::from_millis(900));
    let proxy = TestProxy::start_with(Limits { header_timeout, idle_timeout, ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    app.emit(b"first").await;
    wire.head().await;
    wire.chunk().await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    app.emit(b"second").await;
    assert_eq!(wire.chunk().await, b"second");
}
