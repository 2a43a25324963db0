use std::time::{Duration, Instant};

use paas_proxy::Limits;

use crate::support::{App, TestProxy, limits};

fn short() -> Limits {
    Limits {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(900),
        ..limits()
    }
}

#[tokio::test]
async fn slow_headers_and_silent_connections_are_closed() {
    let proxy = TestProxy::start_with(short()).await;
    for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: a.test\r\n", "PRI * HT"] {
        let mut wire = proxy.connect().await;
        wire.send(begin).await;
        let start = Instant::now();
        let rest = wire.rest().await;
        assert!(rest.is_empty(), "{begin:?}: {rest:?}");
        assert!(start.elapsed() < Duration::from_millis(800), "{begin:?}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_a_header() {
    let proxy = TestProxy::start_with(short()).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    for _ in 0..2 {
        assert_eq!(wire.get("a.test", "/").await.status, 200);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    let start = Instant::now();
    assert_eq!(wire.rest().await, b"");
    let idle = start.elapsed();
    assert!(idle > Duration::from_millis(700) && idle < Duration::from_secs(3), "{idle:?}");
    // A second header that never ends.
    let mut wire = proxy.connect().await;
    wire.get("a.test", "/").await;
    wire.send("GET / HTTP/1.1\r\n").await;
    let start = Instant::now();
    wire.rest().await;
    assert!(start.elapsed() < Duration::from_millis(800), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_long_request_is_not_idle() {
    let proxy = TestProxy::start_with(short()).await;
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
