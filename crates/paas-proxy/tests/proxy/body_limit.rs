use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::Request;
use hyper::body::Frame;
use paas_proxy::ServiceSpec;

use crate::support::{
    App, Certified, Http3, RawApp, TestProxy, frames, http2, service, undisturbed, until, whole, within,
};

const MAX: usize = 10;

async fn put(proxy: &TestProxy, target: SocketAddr) {
    let mut spec = service("blog", &["a.test"], &[("c1", target)]);
    spec.policy.max_body = MAX as u64;
    proxy.client.put_service(&spec).await.unwrap();
}

fn post(length: usize) -> String {
    format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n")
}

fn chunked(length: usize) -> String {
    let body = format!("{length:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(length));
    format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

#[tokio::test]
async fn a_told_length_is_judged_before_anything_is_read_or_asked() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    put(&proxy, app.address).await;
    let mut wire = proxy.connect().await;
    let fits = format!("{}{}", post(MAX), "x".repeat(MAX));
    assert_eq!(wire.ask(fits).await.status, 200);
    let requests = app.requests();
    let answer = wire.ask(post(MAX + 1)).await;
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    let mut wire = proxy.connect().await;
    let waiting = post(MAX + 1).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(wire.ask(waiting).await.status, 413, "and the body is not asked for");
    assert_eq!(app.requests(), requests);
}

#[tokio::test]
async fn a_client_that_sends_all_the_same_gets_to_read_the_answer() {
    let proxy = TestProxy::start().await;
    put(&proxy, ([127, 0, 0, 1], 1).into()).await;
    let length = 8 * 1024 * 1024;
    let mut wire = proxy.connect().await;
    wire.send(post(length)).await;
    within("the upload", wire.send(vec![b'x'; length])).await;
    assert_eq!(wire.answer().await.status, 413);
    assert_eq!(wire.rest().await, b"");
}

#[tokio::test]
async fn chunks_are_counted() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    put(&proxy, app.address).await;
    let mut wire = proxy.connect().await;
    assert_eq!(wire.ask(chunked(MAX)).await.status, 200);
    let answer = wire.ask(chunked(MAX + 1)).await;
    assert_eq!((answer.status, answer.header("connection")), (413, Some("close")));
    assert_eq!(wire.rest().await, b"");
    until("nothing in flight", async || proxy.in_flight("c1").await == Some(0)).await;
    assert_eq!(app.seen().len(), 1, "the app got no whole request");
}

#[tokio::test]
async fn an_answer_that_has_begun_is_broken_off() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    put(&proxy, app.address).await;
    let mut wire = proxy.connect().await;
    wire.send("POST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
    assert_eq!(wire.chunk().await, b"x");
    wire.send("a\r\nxxxxxxxxxx\r\n0\r\n\r\n").await;
    let rest = wire.rest().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it must not look whole: {rest:?}");
    until("nothing in flight", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn http_2_has_the_same_limit() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    put(&proxy, app.address).await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut sender = http2(proxy.https, "a.test").await;
    for (length, status) in [(MAX, 200), (MAX + 1, 413)] {
        let request = Request::post("https://a.test/").body(whole(vec![b'x'; length])).unwrap();
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), status, "{length} bytes, told");
        let (send, body) = frames();
        let request = Request::post("https://a.test/").body(body).unwrap();
        for piece in [MAX, length - MAX] {
            send.send(Frame::data(Bytes::from(vec![b'x'; piece]))).await.unwrap();
        }
        drop(send);
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), status, "{length} bytes, not told");
    }
    let again = Request::get("https://a.test/").body(whole("")).unwrap();
    let answer = within("an answer", sender.send_request(again)).await.unwrap();
    assert_eq!(answer.status(), 200, "the connection goes on");
}

#[tokio::test]
async fn http_3_has_the_same_limit() {
    let proxy = TestProxy::start_http3().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    put(&proxy, app.address).await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut client = Http3::connect(proxy.https, "a.test").await;
    for (length, status) in [(MAX, 200), (MAX + 1, 413)] {
        let told = Request::post("https://a.test/").header("content-length", length.to_string());
        for request in [told, Request::post("https://a.test/")] {
            let answer = client.ask(request.body(()).unwrap(), &vec![b'x'; length]).await.unwrap();
            assert_eq!(answer.status(), status, "{length} bytes");
        }
    }
}

#[tokio::test]
async fn an_app_has_its_own_times() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let mut spec = service("blog", &["a.test"], &[("c1", app.address)]);
    spec.policy.request_timeout_ms = Some(150);
    proxy.client.put_service(&spec).await.unwrap();
    let mut wire = proxy.connect().await;
    wire.send("POST /gate HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nx").await;
    assert_eq!(wire.answer().await.status, 408);
    let mut wire = proxy.connect().await;
    wire.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let early = tokio::time::timeout(Duration::from_millis(300), wire.head()).await;
    assert!(early.is_err(), "the answer has its own time: {early:?}");
    app.open_gate();
    spec.policy.request_timeout_ms = None;
    spec.policy.response_timeout_ms = Some(150);
    proxy.client.put_service(&spec).await.unwrap();
    assert_eq!(proxy.connect().await.get("a.test", "/gate").await.status, 504);
    let patience = Duration::from_secs(1);
    let (_proxy, app, mut wire) = undisturbed(patience, async |watch| {
        let (proxy, app) = (TestProxy::start().await, App::start("one").await);
        let adjust = |spec: &mut ServiceSpec| spec.policy.response_timeout_ms = Some(1_000);
        proxy.put_as("blog", "a.test", &[("c1", app.address)], adjust).await;
        app.emit(b"first").await;
        let mut wire = proxy.connect().await;
        watch.start();
        wire.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
        assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
        assert_eq!(wire.chunk().await, b"first");
        (proxy, app, wire)
    })
    .await;
    tokio::time::sleep(patience + patience / 5).await;
    app.emit(b"second").await;
    assert_eq!(wire.chunk().await, b"second", "how long an answer takes is not limited");
}
