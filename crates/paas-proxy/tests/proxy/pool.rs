//! Kept connections to targets that die at the wrong moment.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{App, TestProxy, in_turn};

#[tokio::test]
async fn a_get_is_sent_again_and_a_post_never() {
    let proxy = TestProxy::start().await;
    let requests = Arc::new(AtomicU64::new(0));
    // It closes on the second request of a connection, after reading it.
    let turns: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b""];
    let address = in_turn(turns, Arc::clone(&requests)).await;
    proxy.put("blog", "a.test", &[("c1", address)]).await;
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    assert_eq!(wire.get("a.test", "/").await.status, 200, "on a new connection");
    assert_eq!(requests.load(Ordering::SeqCst), 3, "seen once in vain");
    let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(wire.ask(post).await.status, 502);
    assert_eq!(requests.load(Ordering::SeqCst), 4, "not sent again");
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
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let connects = async || proxy.client.metrics().await.unwrap().upstream.connects;
    let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
    let mut wire = proxy.connect().await;
    for request in [post, post, "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", post] {
        assert_eq!(wire.ask(request).await.status, 200);
    }
    assert_eq!(connects().await, 1, "none of them waited");
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
