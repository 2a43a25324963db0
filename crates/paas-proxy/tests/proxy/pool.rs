//! Kept connections to targets that die at the wrong moment.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{App, FRESH, TestProxy, in_turn, in_turn_each, undisturbed};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn a_get_is_sent_again_and_a_post_never() {
    let proxy = TestProxy::start().await;
    undisturbed(FRESH, async |watch| {
        let requests = Arc::new(AtomicU64::new(0));
        // It closes on the second request of a connection, after reading it.
        let address = in_turn(&[OK, b""], Arc::clone(&requests)).await;
        put_alone(&proxy, address).await;
        let mut wire = proxy.connect().await;
        watch.start();
        assert_eq!(wire.get("a.test", "/").await.status, 200);
        assert_eq!(wire.get("a.test", "/").await.status, 200, "on a new connection");
        assert_eq!(requests.load(Ordering::SeqCst), 3, "seen once in vain");
        let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(wire.ask(post).await.status, 502);
        assert_eq!(requests.load(Ordering::SeqCst), 4, "not sent again");
    })
    .await;
}

/// What may be sent once and what may be sent again, with and without a body of each kind.
const REQUESTS: [&str; 5] = [
    "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: none\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi",
    "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
];

/// The only target from now on.
async fn put_alone(proxy: &TestProxy, address: SocketAddr) {
    proxy.put("blog", "a.test", &[(&format!("port-{}", address.port()), address)]).await;
}

async fn retries(proxy: &TestProxy) -> u64 {
    proxy.client.metrics().await.unwrap().upstream.retries
}

#[tokio::test]
async fn what_a_new_connection_does_not_answer_is_not_sent_again() {
    let proxy = TestProxy::start().await;
    let requests = Arc::new(AtomicU64::new(0));
    let address = in_turn(&[b""], Arc::clone(&requests)).await;
    proxy.put("blog", "a.test", &[("c1", address)]).await;
    for (count, request) in (1..).zip(REQUESTS) {
        assert_eq!(proxy.connect().await.ask(request).await.status, 502, "{request}");
        assert_eq!(requests.load(Ordering::SeqCst), count, "{request}");
    }
    assert_eq!(retries(&proxy).await, 0);
}

#[tokio::test]
async fn nor_is_another_target_asked() {
    let proxy = TestProxy::start().await;
    let (requests, healthy) = (Arc::new(AtomicU64::new(0)), App::start("one").await);
    let address = in_turn(&[b""], Arc::clone(&requests)).await;
    proxy.put("blog", "a.test", &[("c1", address), ("c2", healthy.address)]).await;
    for request in REQUESTS.repeat(8) {
        let before = (requests.load(Ordering::SeqCst), healthy.requests());
        let status = proxy.connect().await.ask(request).await.status;
        let after = (requests.load(Ordering::SeqCst), healthy.requests());
        let expected = if status == 502 { (before.0 + 1, before.1) } else { (before.0, before.1 + 1) };
        assert_eq!(after, expected, "{status}: {request}");
    }
    assert!(requests.load(Ordering::SeqCst) > 0 && healthy.requests() > 0, "both were chosen");
    assert_eq!(retries(&proxy).await, 0);
}

#[tokio::test]
async fn what_was_answered_in_part_is_not_sent_again() {
    let proxy = TestProxy::start().await;
    let parts: [&'static [&'static [u8]]; 4] = [
        &[OK, b"H"],
        &[OK, b"HTTP/1.1 200 OK\r\nContent-"],
        &[OK, b"HTTP/1.1 103 Early Hints\r\n\r\n"],
        &[OK, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"],
    ];
    for turns in parts {
        for again in REQUESTS {
            undisturbed(FRESH, async |watch| {
                let requests = Arc::new(AtomicU64::new(0));
                let address = in_turn(turns, Arc::clone(&requests)).await;
                put_alone(&proxy, address).await;
                let mut wire = proxy.connect().await;
                watch.start();
                assert_eq!(wire.get("a.test", "/").await.status, 200);
                wire.send(again).await;
                let head = wire.head().await;
                if turns[1].ends_with(b"hal") {
                    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
                    assert_eq!(wire.rest().await, b"hal", "{again}");
                } else {
                    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
                }
                assert_eq!(requests.load(Ordering::SeqCst), 2, "{again} after {turns:?}");
            })
            .await;
        }
    }
    assert_eq!(retries(&proxy).await, 0);
}

#[tokio::test]
async fn it_is_sent_again_once() {
    let proxy = TestProxy::start().await;
    let requests = Arc::new(AtomicU64::new(0));
    // The first connection fails at its second request, every other one at its first.
    let (first, others): (&[&[u8]], &[&[u8]]) = (&[OK, b""], &[b""]);
    let connections = std::iter::once(first).chain(std::iter::repeat(others));
    let address = in_turn_each(connections, Arc::clone(&requests)).await;
    proxy.put("blog", "a.test", &[("c1", address)]).await;
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    assert_eq!(wire.get("a.test", "/").await.status, 502);
    assert_eq!(requests.load(Ordering::SeqCst), 3);
    assert_eq!(retries(&proxy).await, 1);
}

#[tokio::test]
async fn a_post_is_never_sent_twice_whatever_its_body() {
    let proxy = TestProxy::start().await;
    for post in &REQUESTS[2..] {
        undisturbed(FRESH, async |watch| {
            let requests = Arc::new(AtomicU64::new(0));
            let address = in_turn(&[OK, b""], Arc::clone(&requests)).await;
            put_alone(&proxy, address).await;
            let mut wire = proxy.connect().await;
            watch.start();
            assert_eq!(wire.ask(post).await.status, 200);
            // A new connection would have answered it.
            assert_eq!(wire.ask(post).await.status, 502, "{post}");
            assert_eq!(requests.load(Ordering::SeqCst), 2, "{post}");
        })
        .await;
    }
    assert_eq!(retries(&proxy).await, 0);
}

/// An app that closes each connection right after its answer without saying so: what a keep-alive timeout looks like.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_the_app_has_closed_is_not_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (closed, mut was_closed) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            stream.shutdown().await.unwrap();
            closed.send(()).await.unwrap();
        }
    });
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[("c1", address)]).await;
    let mut wire = proxy.connect().await;
    for _ in 0..200 {
        let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(wire.ask(post).await.status, 200);
        was_closed.recv().await.unwrap();
    }
}

#[tokio::test]
async fn what_may_be_sent_only_once_is_given_no_connection_that_is_about_to_be_closed() {
    let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
    let (proxy, _app, mut wire) = undisturbed(FRESH, async |watch| {
        let (proxy, app) = (TestProxy::start().await, App::start("one").await);
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        let mut wire = proxy.connect().await;
        watch.start();
        for request in [post, post, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", post] {
            assert_eq!(wire.ask(request).await.status, 200);
        }
        watch.stop();
        assert_eq!(proxy.client.metrics().await.unwrap().upstream.connects, 1, "none of them waited");
        (proxy, app, wire)
    })
    .await;
    let connects = async || proxy.client.metrics().await.unwrap().upstream.connects;
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    assert_eq!(connects().await, 1, "one that may be sent again tries it");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(wire.ask(post).await.status, 200);
    assert_eq!(connects().await, 2);
}

#[tokio::test]
async fn a_restarted_app_is_found_again() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    drop(app);
    crate::support::until("a refused connection", async || wire.get("a.test", "/").await.status == 502).await;
    assert_eq!(proxy.in_flight("c1").await, Some(0));
}
