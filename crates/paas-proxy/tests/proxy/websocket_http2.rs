use http::{Method, Request};
use hyper::{body::Incoming, ext::Protocol};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{
    App, Body, Certified, H2cApp, RawApp, Sender, TestProxy, collected, http2, service, until, whole, within,
};

/// An encrypted HTTP/2 connection whose settings have come.
async fn connect(proxy: &TestProxy) -> Sender {
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut sender = http2(proxy.https, "a.test").await;
    let request = Request::get("https://unknown.test/").body(whole("")).unwrap();
    assert_eq!(within("an answer", sender.send_request(request)).await.unwrap().status(), 404);
    sender
}

fn open(path: &str, protocol: &'static str) -> Request<Body> {
    Request::builder()
        .method(Method::CONNECT)
        .uri(format!("https://a.test{path}"))
        .extension(Protocol::from_static(protocol))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat")
        .header("origin", "https://a.test")
        .body(whole(""))
        .unwrap()
}

async fn answer(sender: &mut Sender, request: Request<Body>) -> http::Response<Incoming> {
    within("an answer", sender.send_request(request)).await.unwrap()
}

#[tokio::test]
async fn bytes_pass_both_ways_and_both_ends_may_end() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut sender = connect(&proxy).await;
    let mut opened = answer(&mut sender, open("/upgrade", "websocket")).await;
    assert_eq!(opened.status(), 200);
    let upgraded = within("the tunnel", hyper::upgrade::on(&mut opened)).await.unwrap();
    let mut stream = TokioIo::new(upgraded);
    for message in [&b"hello"[..], &[0x81, 0, 255], &vec![7; 100_000]] {
        let mut echoed = vec![0; message.len()];
        let (mut read, mut write) = tokio::io::split(&mut stream);
        let both = async { tokio::try_join!(write.write_all(message), read.read_exact(&mut echoed)) };
        within("the echo", both).await.unwrap();
        assert_eq!(echoed, message);
    }
    assert_eq!(proxy.in_flight("c1").await, Some(1));
    // Other requests go on beside it.
    let request = Request::get("https://a.test/").body(whole("")).unwrap();
    assert_eq!(collected(answer(&mut sender, request).await.into_body()).await.0, "one");
    stream.shutdown().await.unwrap();
    assert_eq!(within("the end", stream.read(&mut [0; 8])).await.unwrap(), 0);
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn the_app_sees_the_upgrade_it_knows() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
    )
    .await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut sender = connect(&proxy).await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let opened = answer(&mut sender, open("/ws?x=%2F", "websocket")).await;
        assert_eq!(opened.status(), 200);
        assert_eq!(opened.headers()["sec-websocket-protocol"], "chat");
        for hop in ["sec-websocket-accept", "connection", "upgrade", "content-length"] {
            assert!(!opened.headers().contains_key(hop), "{hop}");
        }
        let seen = app.seen().pop().unwrap();
        assert!(seen.starts_with("GET /ws?x=%2F HTTP/1.1\r\n"), "{seen}");
        for field in [
            "host: a.test",
            "connection: upgrade",
            "upgrade: websocket",
            "sec-websocket-version: 13",
            "sec-websocket-protocol: chat",
            "origin: https://a.test",
            "x-forwarded-proto: https",
        ] {
            assert!(seen.contains(&format!("{field}\r\n")), "{field}: {seen}");
        }
        assert!(!seen.contains(":protocol"), "{seen}");
        let key = seen.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap().to_owned();
        assert!(key.len() == 24 && key.ends_with("=="), "{key}");
        keys.push(key);
    }
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn other_answers_pass_but_none_that_looks_like_a_tunnel() {
    for (bytes, status, text) in [
        (&b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"[..], 403, Some("no")),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 302, Some("")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage", 502, None),
        (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n", 502, None),
    ] {
        let proxy = TestProxy::start().await;
        let app = RawApp::start(bytes).await;
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        let mut sender = connect(&proxy).await;
        let refused = answer(&mut sender, open("/ws", "websocket")).await;
        assert_eq!(refused.status(), status);
        let body = collected(refused.into_body()).await.0;
        assert!(text.is_none_or(|text| text == body), "{body}");
        until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
    }
}

#[tokio::test]
async fn no_other_connect_is_possible() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut sender = connect(&proxy).await;
    assert_eq!(answer(&mut sender, open("/upgrade", "connect-udp")).await.status(), 501);
    let plain = Request::builder().method(Method::CONNECT).uri("a.test:443").body(whole("")).unwrap();
    assert_eq!(answer(&mut sender, plain).await.status(), 405);
    let mut spec = service("blog", &["a.test"], &[]);
    assert_eq!(app.requests(), 0);
    proxy.client.put_service(&spec).await.unwrap();
    assert_eq!(answer(&mut sender, open("/upgrade", "websocket")).await.status(), 503);
    let other = H2cApp::start("two").await;
    spec.targets = service("", &[], &[("c2", other.address)]).targets;
    spec.targets[0].protocol = paas_proxy::TargetProtocol::H2c;
    proxy.client.put_service(&spec).await.unwrap();
    assert_eq!(
        answer(&mut sender, open("/upgrade", "websocket")).await.status(),
        502,
        "it has no WebSockets"
    );
}

#[tokio::test]
async fn a_shutdown_ends_it() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut sender = connect(&proxy).await;
    let mut opened = answer(&mut sender, open("/upgrade", "websocket")).await;
    let mut stream = TokioIo::new(within("the tunnel", hyper::upgrade::on(&mut opened)).await.unwrap());
    proxy.stop_within(std::time::Duration::from_secs(3)).await;
    let mut rest = Vec::new();
    within("the end", stream.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, [0x88, 0x02, 0x03, 0xe9]);
}
