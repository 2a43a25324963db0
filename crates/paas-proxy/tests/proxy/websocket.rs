use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;

use crate::support::{App, RawApp, TestProxy, Wire, service, until, within};

const UPGRADE: &str = "GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn upgraded(proxy: &TestProxy) -> Wire {
    let mut wire = proxy.connect().await;
    wire.send(UPGRADE).await;
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let lower = head.to_lowercase();
    assert!(lower.contains("connection: upgrade\r\n") && lower.contains("upgrade: websocket\r\n"), "{head}");
    wire
}

#[tokio::test]
async fn bytes_pass_both_ways_and_both_ends_may_end() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = upgraded(&proxy).await;
    for message in [&b"hello"[..], &[0x81, 0, 255], &vec![7; 100_000]] {
        wire.send(message).await;
        assert_eq!(wire.exactly(message.len()).await, message);
    }
    assert_eq!(proxy.in_flight("c1").await, Some(1));
    tokio::io::AsyncWriteExt::shutdown(&mut wire.0).await.unwrap();
    assert_eq!(wire.rest().await, b"");
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn the_drains_deadline_cuts_it() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put("blog", "a.test", &[("old", old.address)]).await;
    let mut wire = upgraded(&proxy).await;
    proxy.put("blog", "a.test", &[("new", new.address)]).await;
    // Still alive while draining.
    let hello = [0x81, 0x81, 1, 2, 3, 4, b'x' ^ 1];
    wire.send(hello).await;
    assert_eq!(wire.exactly(hello.len()).await, hello);
    let begin = Instant::now();
    let outcome = proxy.client.wait_drained("old", Duration::from_millis(300)).await.unwrap();
    assert_eq!(outcome.in_flight_left, 1);
    assert!(begin.elapsed() >= Duration::from_millis(300) && begin.elapsed() < Duration::from_secs(6));
    // The wait is over when the tunnel is gone, and it is gone in good order: with 1001, without a reset.
    let mut rest = Vec::new();
    within("the end", wire.0.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, [0x88, 0x02, 0x03, 0xe9]);
    assert_eq!(proxy.client.wait_drained("old", Duration::ZERO).await.unwrap().in_flight_left, 0);
    assert_eq!(proxy.in_flight("old").await, None);
}

#[tokio::test]
async fn nothing_is_a_tunnel_before_the_apps_101() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    proxy.client.put_service(&service("blog", &["a.test"], &[("c1", app.address)])).await.unwrap();
    let mut wire = proxy.connect().await;
    wire.send(format!("{UPGRADE}GET /second HTTP/1.1\r\nHost: unknown.test\r\n\r\n")).await;
    assert_eq!(wire.answer().await.status, 403);
    // What follows is read as a request and routed as one; it never reaches the app as raw bytes.
    assert_eq!(wire.answer().await.status, 404);
    let seen = app.seen();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].contains("/second"), "{seen:?}");
}

#[tokio::test]
async fn h2c_is_never_passed_on() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let request = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    assert_eq!(proxy.connect().await.ask(request).await.status, 200);
    let seen = app.seen().join("").to_lowercase();
    assert!(!seen.contains("upgrade") && !seen.contains("http2-settings"), "{seen}");
}
