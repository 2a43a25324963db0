use std::{fs, time::Duration};

use paas_proxy::{Limits, ServiceSpec};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{App, Deaf, FRESH, RawApp, TestProxy, limits, undisturbed, until};

const KIB: usize = 1024;

fn buffered(spec: &mut ServiceSpec) {
    spec.policy.buffer_requests = true;
}

fn post(length: usize) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n")
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

#[tokio::test]
async fn a_target_is_asked_once_the_body_is_whole() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], buffered).await;
    let mut wire = proxy.connect().await;
    wire.send("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    assert!(tokio::time::timeout(Duration::from_millis(100), wire.head()).await.is_err());
    assert_eq!((proxy.in_flight("c1").await, app.seen().len()), (Some(0), 0));
    wire.send("2\r\nde\r\n0\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 200);
    let seen = app.seen().join("");
    assert!(seen.contains("content-length: 5\r\n") && seen.ends_with("\r\n\r\nabcde"), "{seen}");
    assert!(!seen.contains("transfer-encoding"), "{seen}");
}

#[tokio::test]
async fn trailers_come_along() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], buffered).await;
    let request = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n\
                   3\r\nabc\r\n0\r\nX-Sum: up\r\n\r\n";
    assert_eq!(proxy.connect().await.ask(request).await.status, 200);
    let seen = app.seen().join("");
    assert!(seen.ends_with("3\r\nabc\r\n0\r\nx-sum: up\r\n\r\n"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_in_memory_and_on_disk_arrive_byte_for_byte_and_leave_nothing() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], buffered).await;
    let mut wire = proxy.connect().await;
    for length in [0, 1, 64 * KIB, 64 * KIB + 1, 3 * KIB * KIB + 7] {
        let body = bytes(length);
        wire.send(post(length)).await;
        wire.send(&body).await;
        assert!(wire.answer().await.body == body, "{length} bytes differ");
    }
    let left = fs::read_dir(proxy.directory.path().join("bodies")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn the_disk_has_a_limit_over_all_requests() {
    let limits = Limits { buffered_bodies: 300 * KIB as u64, ..limits() };
    let proxy = TestProxy::start_with(limits).await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], buffered).await;
    let mut first = proxy.connect().await;
    // Kept until it is answered: it may be sent again. That the app has it says that it is whole.
    first.send(post(250 * KIB).replace("POST /echo", "PUT /gate")).await;
    first.send(bytes(250 * KIB)).await;
    until("the first", async || app.requests() == 1).await;
    let second = async || {
        let mut wire = proxy.connect().await;
        wire.send(post(128 * KIB)).await;
        // The answer may come before all is sent.
        let _ = wire.0.write_all(&bytes(128 * KIB)).await;
        wire.answer().await
    };
    let refused = second().await;
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true));
    app.open_gate();
    assert_eq!(first.answer().await.status, 200);
    until("room", async || second().await.status == 200).await;
}

#[tokio::test]
async fn a_body_that_stands_still_or_is_too_long_is_refused() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let adjust = |spec: &mut ServiceSpec| {
        buffered(spec);
        spec.policy.request_timeout_ms = Some(100);
        spec.policy.max_body = 10;
    };
    proxy.put_as("blog", "a.test", &[("c1", app.address)], adjust).await;
    let mut wire = proxy.connect().await;
    wire.send(post(10) + "x").await;
    assert_eq!(wire.answer().await.status, 408);
    let mut wire = proxy.connect().await;
    wire.send(
        "POST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.status, 413);
    assert_eq!(app.requests(), 0);
}

#[tokio::test]
async fn a_body_goes_to_another_target_when_one_refuses() {
    let proxy = TestProxy::start().await;
    let (app, deaf) = (App::start("one").await, Deaf::new());
    proxy.put_as("blog", "a.test", &[("c1", deaf.address), ("c2", app.address)], buffered).await;
    let body = bytes(100 * KIB);
    for _ in 0..10 {
        let mut wire = proxy.connect().await;
        wire.send(post(body.len())).await;
        wire.send(&body).await;
        assert!(wire.answer().await.body == body);
    }
}

/// An app that answers the first request of a connection and closes on the second one's first bytes.
async fn closes_on_the_second() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\nhi") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                let _ = stream.read_buf(&mut request).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_put_is_sent_again_with_its_body_and_a_post_never() {
    undisturbed(FRESH, async |watch| {
        let proxy = TestProxy::start().await;
        let address = closes_on_the_second().await;
        proxy.put_as("blog", "a.test", &[("c1", address)], buffered).await;
        let mut wire = proxy.connect().await;
        for _ in 0..3 {
            watch.start();
            let put = "PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
            assert_eq!(wire.ask(put).await.status, 200, "on a new connection");
        }
        let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(wire.ask(post).await.status, 502);
    })
    .await;
}
