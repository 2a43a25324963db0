use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use paas_proxy::Limits;
use rustls::{HandshakeKind, ProtocolVersion};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    App, Certified, Client, LAST_REQUESTS, PROMPT, RawApp, TestProxy, Versions, Wire, leaf, limits,
    undisturbed, until, within,
};

const BOTH: &[&str] = &["h2", "http/1.1"];

async fn put(proxy: &TestProxy, host: &str) -> Certified {
    let certified = Certified::new(host);
    assert!(proxy.client.put_certificate(&certified.spec).await.unwrap().changed);
    certified
}

#[tokio::test]
async fn the_name_chooses_the_certificate() {
    let proxy = TestProxy::start().await;
    let exact = put(&proxy, "a.example.test").await;
    let other = put(&proxy, "B.test").await;
    let wildcard = put(&proxy, "*.example.test").await;
    let client = Client::new(BOTH);
    for (name, expected) in [
        ("a.example.test", &exact),
        ("A.Example.TEST", &exact),
        ("b.test", &other),
        ("x.example.test", &wildcard),
        ("y.example.test", &wildcard),
    ] {
        assert!(client.leaf(proxy.https, name).await == expected.leaf, "{name}");
    }
    let unknown = client.leaf(proxy.https, "unknown.test").await;
    for name in ["example.test", "x.y.example.test", "test", "127.0.0.1", "::1"] {
        assert!(client.leaf(proxy.https, name).await == unknown, "{name}");
    }
    assert!(proxy.client.delete_certificate("a.example.test").await.unwrap().changed);
    assert!(client.leaf(proxy.https, "a.example.test").await == wildcard.leaf);
}

#[tokio::test]
async fn unknown_names_get_the_same_answer_after_a_restart_and_it_names_nobody() {
    let proxy = TestProxy::start().await;
    put(&proxy, "a.test").await;
    proxy.put("blog", "b.test", &[]).await;
    let before = Client::new(BOTH).leaf(proxy.https, "foreign.test").await;
    let proxy = TestProxy::start_in(proxy.stop().await, limits()).await.unwrap();
    assert!(Client::new(BOTH).leaf(proxy.https, "other.test").await == before);
    let text = String::from_utf8_lossy(&before);
    assert!(text.contains("unknown.invalid") && !text.contains("a.test") && !text.contains("b.test"));
    assert_eq!(proxy.client.certificates().await.unwrap().len(), 1, "it is nobody's certificate");
}

#[tokio::test]
async fn both_versions_and_protocols_are_served() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    put(&proxy, "a.test").await;
    for (versions, version) in
        [(Versions::Both, ProtocolVersion::TLSv1_3), (Versions::Tls12, ProtocolVersion::TLSv1_2)]
    {
        for alpn in [&["http/1.1"][..], &[]] {
            let stream = Client::speaking(alpn, versions).connect(proxy.https, "a.test").await;
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version));
            assert_eq!(stream.get_ref().1.alpn_protocol(), alpn.first().map(|name| name.as_bytes()));
            let mut wire = Wire::over(stream);
            for _ in 0..2 {
                assert_eq!(wire.get("a.test", "/").await.text(), "one");
            }
        }
        let stream = Client::speaking(&["http/1.1", "h2"], versions).connect(proxy.https, "a.test").await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let body = Bytes::from(vec![7; 300_000]);
        let request = Request::post("https://a.test/echo").body(Full::new(body.clone())).unwrap();
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(within("the body", answer.into_body().collect()).await.unwrap().to_bytes(), body);
    }
    assert!(Client::new(&["foo/1"]).try_connect(proxy.https, "a.test").await.is_err());
}

#[tokio::test]
async fn a_session_is_resumed_by_its_ticket() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    put(&proxy, "a.test").await;
    for versions in [Versions::Both, Versions::Tls12] {
        let client = Client::speaking(&["http/1.1"], versions);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let mut wire = client.wire(proxy.https, "a.test").await;
            assert_eq!(wire.get("a.test", "/").await.text(), "one");
            let session = wire.0.get_ref().get_ref().1;
            assert_eq!(session.handshake_kind(), Some(kind));
            assert!(!session.is_early_data_accepted());
        }
    }
}

#[tokio::test]
async fn certificates_change_under_open_connections() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let old = put(&proxy, "a.test").await;
    let client = Client::new(&["http/1.1"]);
    let mut open = client.wire(proxy.https, "a.test").await;
    assert!(leaf(open.0.get_ref()) == old.leaf);
    let mut slow = client.wire(proxy.https, "a.test").await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || app.requests() == 1).await;
    for _ in 0..5 {
        let new = put(&proxy, "a.test").await;
        assert!(Client::new(&["http/1.1"]).leaf(proxy.https, "a.test").await == new.leaf);
        assert_eq!(open.get("a.test", "/").await.text(), "one");
    }
    proxy.client.delete_certificate("a.test").await.unwrap();
    assert_eq!(open.get("a.test", "/").await.text(), "one");
    app.open_gate();
    assert_eq!(slow.answer().await.text(), "one");
}

#[tokio::test]
async fn a_handshake_must_come_within_the_time_of_a_header() {
    let header_timeout = Duration::from_millis(400);
    let proxy = TestProxy::start_with(Limits { header_timeout, ..limits() }).await;
    // A record's beginning: a handshake of 512 bytes that do not come.
    for sent in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let begin = Instant::now();
        let mut stream = TcpStream::connect(proxy.https).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut rest = Vec::new();
        let _ = within("the close", stream.read_to_end(&mut rest)).await;
        let took = begin.elapsed();
        assert!(took >= header_timeout && took < PROMPT, "{took:?}");
    }
    // After the handshake too, for which there is time.
    let header_timeout = Duration::from_secs(2);
    let proxy = TestProxy::start_with(Limits { header_timeout, ..limits() }).await;
    let mut idle = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
    let begin = Instant::now();
    assert_eq!(idle.rest().await, b"");
    assert!(begin.elapsed() < PROMPT, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_left() {
    let stall_timeout = Duration::from_millis(500);
    let proxy = TestProxy::start_with(Limits { stall_timeout, ..limits() }).await;
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n".to_vec();
    bytes.resize(bytes.len() + 33_554_432, 7);
    let app = RawApp::start(bytes.leak()).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the request", async || !app.seen().is_empty()).await;
    until("its end", async || proxy.in_flight("c1").await == Some(0)).await;
    assert!(wire.rest().await.len() < 33_554_432, "it was not sent whole");
}

#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let proxy = TestProxy::start().await;
    let mut plain = Wire::connect(proxy.https).await;
    plain.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let rest = plain.rest().await;
    assert!(!rest.starts_with(b"HTTP/"), "{rest:?}");
}

#[tokio::test]
async fn an_inherited_socket_is_for_https_by_its_port() {
    let (http, https) = (
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let address = https.local_addr().unwrap();
    let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
        config.https = vec![address];
        config.inherited = vec![https, http];
    })
    .await
    .unwrap();
    assert_eq!(proxy.ready.https, [address]);
    assert_eq!(proxy.ready.http.len(), 1);
    Client::new(BOTH).connect(address, "a.test").await;
    assert_eq!(proxy.connect().await.get("a.test", "/").await.status, 404);
}

#[tokio::test]
async fn clients_that_were_connecting_at_the_shutdown_are_served() {
    undisturbed(LAST_REQUESTS, async |watch| {
        let proxy = TestProxy::start().await;
        let app = App::start("one").await;
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        put(&proxy, "a.test").await;
        let client = Client::new(&["http/1.1"]);
        let mut open = client.wire(proxy.https, "a.test").await;
        let accepted = TcpStream::connect(proxy.https).await.unwrap();
        watch.start();
        proxy.begin_shutdown();
        until("the end of the listener", async || TcpStream::connect(proxy.https).await.is_err()).await;
        let name = rustls::pki_types::ServerName::try_from("a.test").unwrap();
        let stream = tokio_rustls::TlsConnector::from(client.0).connect(name, accepted);
        let mut new = Wire::over(within("the handshake", stream).await.unwrap());
        for wire in [&mut open, &mut new] {
            let answer = wire.get("a.test", "/").await;
            assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        }
        watch.stop();
        proxy.stop_within(Duration::from_secs(2)).await;
    })
    .await;
}
