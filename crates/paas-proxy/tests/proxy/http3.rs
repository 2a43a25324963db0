use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request};
use paas_proxy::{Limits, TargetProtocol};

use crate::support::{
    App, Certified, Client, H2cApp, Http3, Kept, RawApp, TestProxy, Wire, collect, limits, quic, service,
    until, within,
};

async fn before(proxy: &TestProxy, app: std::net::SocketAddr) -> Http3 {
    proxy.put("blog", "a.test", &[("c1", app)]).await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    Http3::connect(proxy.https, "a.test").await
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("https://a.test{path}"))
}

#[tokio::test]
async fn a_port_that_is_taken_keeps_nothing_else_from_starting() {
    let kept = Kept::bind();
    let (tcp, udp) = kept.into_parts();
    let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
        config.http3 = true;
        config.https = vec![tcp.local_addr().unwrap()];
        config.inherited = vec![tcp];
    });
    let proxy = proxy.await.unwrap();
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut wire = Wire::over(Client::new(&["http/1.1"]).connect(proxy.https, "a.test").await);
    let answer = wire.get("a.test", "/").await;
    assert_eq!((answer.status, answer.header("alt-svc")), (404, None), "nobody is told of HTTP/3");
    proxy.stop().await;
    drop(udp);
}

#[tokio::test]
async fn requests_are_answered() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    let mut client = before(&proxy, app.address).await;
    let answer = client.get("https://A.test/").await;
    assert_eq!((answer.status(), answer.text()), (200, "one".to_owned()));
    assert!(answer.response.headers().contains_key("date"));
    let body = vec![7; 3_000_000];
    let post = request(Method::POST, "/echo").body(()).unwrap();
    let answer = client.ask(post, &body).await.unwrap();
    assert!(answer.body == body, "{} bytes came back", answer.body.len());
    let put = request(Method::PUT, "/echo").header("content-length", "4").body(()).unwrap();
    assert_eq!(client.ask(put, b"body").await.unwrap().text(), "body");
    let head = client.ask(request(Method::HEAD, "/").body(()).unwrap(), b"").await.unwrap();
    assert_eq!((head.status(), head.body.len()), (200, 0));
    assert_eq!(head.response.headers()["content-length"], "3");
    let unknown = client.get("https://unknown.test/").await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.response.headers()["content-length"], unknown.body.len().to_string());
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn the_app_sees_what_it_knows() {
    let proxy = TestProxy::start_http3().await;
    let app =
        RawApp::start(b"HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok")
            .await;
    let mut client = before(&proxy, app.address).await;
    let get = request(Method::GET, "/x//y?z=%2F").header("cookie", "a=1").header("cookie", "b=2");
    let answer = client.ask(get.header("x-forwarded-for", "6.6.6.6").body(()).unwrap(), b"").await.unwrap();
    assert_eq!(answer.text(), "ok");
    assert!(!answer.response.headers().contains_key("x-hop"));
    let seen = app.seen().join("");
    assert!(seen.starts_with("GET /x//y?z=%2F HTTP/1.1\r\n"), "{seen}");
    for field in
        ["host: a.test", "cookie: a=1; b=2", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: https"]
    {
        assert!(seen.contains(&format!("{field}\r\n")), "{field}: {seen}");
    }
    assert!(!seen.contains("transfer-encoding") && !seen.contains("content-length"), "no body: {seen}");
}

#[tokio::test]
async fn names_are_kept_apart_like_over_tls() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    let hosts = ["a.test", "b.test", "x.c.test", "y.c.test"];
    proxy.client.put_service(&service("blog", &hosts, &[("c1", app.address)])).await.unwrap();
    let (exact, wildcard) = (Certified::new("a.test"), Certified::new("*.c.test"));
    for certified in [&exact, &wildcard] {
        proxy.client.put_certificate(&certified.spec).await.unwrap();
    }
    let unknown = Client::new(&["h2"]).leaf(proxy.https, "unknown.test").await;
    for (name, leaf, host, status) in [
        ("a.test", &exact.leaf, "a.test", 200),
        ("a.test", &exact.leaf, "b.test", 421),
        ("x.c.test", &wildcard.leaf, "y.c.test", 200),
        ("b.test", &unknown, "b.test", 200),
        ("b.test", &unknown, "a.test", 421),
    ] {
        let mut client = Http3::connect(proxy.https, name).await;
        let shown = client.quic.peer_identity().unwrap();
        let shown = shown.downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>().unwrap();
        assert!(shown[0].as_ref() == leaf.as_slice(), "{name}");
        assert_eq!(client.get(&format!("https://{host}/")).await.status(), status, "{host} over {name}");
    }
}

#[tokio::test]
async fn visitors_are_told_of_it_only_when_it_is_on() {
    const NAME: &str = "alt-svc";
    for (proxy, expected) in
        [(TestProxy::start_http3().await, Some("h3=\":443\"; ma=3600")), (TestProxy::start().await, None)]
    {
        let app = App::start("one").await;
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        let mut wire = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
        assert_eq!(wire.get("a.test", "/").await.header(NAME), expected);
        assert_eq!(proxy.connect().await.get("a.test", "/").await.header(NAME), None);
    }
}

#[tokio::test]
async fn both_sides_may_talk_at_once_and_trailers_pass() {
    let proxy = TestProxy::start_http3().await;
    let app = H2cApp::start("one").await;
    let mut spec = service("blog", &["a.test"], &[("c1", app.address)]);
    spec.targets[0].protocol = TargetProtocol::H2c;
    proxy.client.put_service(&spec).await.unwrap();
    let mut client = Http3::connect(proxy.https, "a.test").await;
    let answer = client.get("https://a.test/").await;
    assert_eq!(answer.trailers.unwrap()["grpc-status"], "0");
    let mut stream = client.open(request(Method::POST, "/echo").body(()).unwrap()).await;
    within("the header", stream.recv_response()).await.unwrap();
    for message in ["one", "two", "three"] {
        stream.send_data(Bytes::from(message)).await.unwrap();
        let echoed = within("the echo", stream.recv_data()).await.unwrap().unwrap();
        assert_eq!(collect(echoed), message);
    }
    let trailers = HeaderMap::from_iter([("x-end".parse().unwrap(), HeaderValue::from_static("yes"))]);
    stream.send_trailers(trailers.clone()).await.unwrap();
    stream.finish().await.unwrap();
    assert!(within("the end", stream.recv_data()).await.unwrap().is_none());
    assert_eq!(within("trailers", stream.recv_trailers()).await.unwrap(), Some(trailers));
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_looks_complete() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    let mut client = before(&proxy, app.address).await;
    let mut stream = client.open(request(Method::GET, "/stream").body(()).unwrap()).await;
    stream.finish().await.unwrap();
    app.emit(b"first").await;
    within("the header", stream.recv_response()).await.unwrap();
    assert_eq!(collect(within("data", stream.recv_data()).await.unwrap().unwrap()), "first");
    proxy.put("blog", "a.test", &[]).await;
    let outcome = proxy.client.wait_drained("c1", Duration::from_millis(100)).await.unwrap();
    assert_eq!(outcome.in_flight_left, 1);
    assert!(within("the cut", stream.recv_data()).await.is_err());
}

#[tokio::test]
async fn a_body_is_as_long_as_it_says() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    let mut client = before(&proxy, app.address).await;
    for (length, body) in [("4", &b"body and more"[..]), ("40", b"body")] {
        let post = request(Method::POST, "/echo").header("content-length", length).body(()).unwrap();
        // Refused, or cut where it was seen; never an answer to the whole.
        match client.ask(post, body).await {
            Ok(answer) => assert_eq!(answer.status(), 400, "{length}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    for (name, value) in [
        ("content-length", "4, 4"),
        ("content-length", "-4"),
        ("transfer-encoding", "chunked"),
        ("connection", "x"),
    ] {
        let malformed = request(Method::POST, "/echo").header(name, value).body(()).unwrap();
        assert!(client.ask(malformed, b"body").await.is_err(), "{name}: {value}");
    }
    assert_eq!(client.get("https://a.test/").await.text(), "one", "the connection is still good");
}

#[tokio::test]
async fn a_large_header_is_refused() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    let mut client = before(&proxy, app.address).await;
    let fine = request(Method::GET, "/").header("x-large", "x".repeat(20_000)).body(()).unwrap();
    assert_eq!(client.ask(fine, b"").await.unwrap().status(), 200);
    let url = format!("/{}", "x".repeat(9000));
    assert_eq!(client.ask(request(Method::GET, &url).body(()).unwrap(), b"").await.unwrap().status(), 414);
    assert_eq!(app.requests(), 1);
}

#[tokio::test]
async fn a_frame_that_never_ends_is_not_collected() {
    let header_timeout = Duration::from_millis(800);
    let proxy = TestProxy::start_http3_with(Limits { header_timeout, ..limits() }).await;
    let app = App::start("one").await;
    before(&proxy, app.address).await;
    // A header, and a frame nobody knows, each said to be a gigabyte.
    for kind in [0x01, 0x21] {
        let (_endpoint, connection) = quic(proxy.https, "a.test").await.unwrap();
        let (mut send, _receive) = connection.open_bi().await.unwrap();
        send.write_all(&[kind, 0xC0, 0, 0, 0, 0x40, 0, 0, 0]).await.unwrap();
        let mut taken = 0;
        let flood = async {
            let piece = vec![0; 64 * 1024];
            while let Ok(count) = send.write(&piece).await {
                taken += count;
                assert!(taken < 4 * 1024 * 1024, "{taken} bytes were taken");
            }
        };
        let begin = Instant::now();
        within("the end of the patience", flood).await;
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_body_in_small_pieces_passes_whole() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    before(&proxy, app.address).await;
    // Frames of one byte: the library would read far ahead of what it gives.
    let mut client = Http3::connect(proxy.https, "a.test").await;
    let stream = client.open(request(Method::POST, "/echo").body(()).unwrap()).await;
    let (mut send, mut receive) = stream.split();
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    let sending = async {
        for byte in &bytes {
            send.send_data(Bytes::copy_from_slice(&[*byte])).await.unwrap();
        }
        send.finish().await.unwrap();
    };
    let receiving = async {
        receive.recv_response().await.unwrap();
        let mut all = Vec::new();
        while let Some(data) = receive.recv_data().await.unwrap() {
            all.extend_from_slice(&collect(data));
        }
        all
    };
    let ((), received) = within("the echo", async { tokio::join!(sending, receiving) }).await;
    assert!(received == bytes, "{} bytes came back", received.len());
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let idle_timeout = Duration::from_millis(500);
    let proxy = TestProxy::start_http3_with(Limits { idle_timeout, ..limits() }).await;
    let app = App::start("one").await;
    let mut client = before(&proxy, app.address).await;
    assert_eq!(client.get("https://a.test/").await.status(), 200);
    let begin = Instant::now();
    within("the close", client.quic.closed()).await;
    assert!(begin.elapsed() >= Duration::from_millis(400) && begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_shutdown_lets_requests_end_and_takes_no_new_ones() {
    let proxy = TestProxy::start_http3().await;
    let app = App::start("one").await;
    let mut client = before(&proxy, app.address).await;
    let mut slow = client.open(request(Method::GET, "/gate").body(()).unwrap()).await;
    slow.finish().await.unwrap();
    until("the slow request", async || app.requests() == 1).await;
    proxy.begin_shutdown();
    // Until the client has been told.
    until("the end of new requests", async || {
        client.sender.send_request(request(Method::GET, "/").body(()).unwrap()).await.is_err()
    })
    .await;
    app.open_gate();
    assert_eq!(within("the answer", slow.recv_response()).await.unwrap().status(), 200);
    assert_eq!(collect(within("data", slow.recv_data()).await.unwrap().unwrap()), "one");
    assert!(within("the end", slow.recv_data()).await.unwrap().is_none());
    drop(client);
    let begin = Instant::now();
    proxy.stop().await;
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn new_clients_wait_for_the_next_process_on_the_same_socket() {
    let kept = Kept::bind();
    let app = App::start("one").await;
    let proxy = kept.start(tempfile::tempdir().unwrap()).await;
    let mut client = before(&proxy, app.address).await;
    assert_eq!(client.get("https://a.test/").await.text(), "one");
    let directory = proxy.stop().await;
    // Nobody reads now; the kernel keeps what comes.
    let address = kept.address;
    let between = tokio::spawn(async move { Http3::connect(address, "a.test").await });
    let _proxy = kept.start(directory).await;
    let mut between = between.await.unwrap();
    assert_eq!(between.get("https://a.test/").await.text(), "one");
}

/// Asks again and again, on a new connection where the old one takes no more; gives how many answers came. Panics when a
/// request was lost: sent, neither answered nor rejected.
async fn ask_until(address: std::net::SocketAddr, over: Arc<AtomicBool>) -> usize {
    let mut answers = 0;
    while !over.load(Ordering::SeqCst) {
        let mut client = Http3::connect(address, "a.test").await;
        loop {
            let get = request(Method::GET, "/").body(()).unwrap();
            // An error here means that nothing was sent.
            let Ok(mut stream) = client.sender.send_request(get).await else { break };
            stream.finish().await.unwrap();
            match within("an answer", stream.recv_response()).await {
                Ok(response) => assert_eq!(response.status(), 200),
                Err(error) if error.to_string().contains("H3_REQUEST_REJECTED") => break,
                Err(error) => panic!("a request was lost after {answers}: {error}"),
            }
            while within("data", stream.recv_data()).await.unwrap().is_some() {}
            answers += 1;
            if over.load(Ordering::SeqCst) {
                break;
            }
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_no_request() {
    let kept = Kept::bind();
    let app = App::start("one").await;
    let mut proxy = kept.start(tempfile::tempdir().unwrap()).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4).map(|_| tokio::spawn(ask_until(kept.address, Arc::clone(&over)))).collect();
    let mut seen = 0;
    for _ in 0..3 {
        until("answers", async || app.requests() > seen + 40).await;
        proxy = kept.start(proxy.stop().await).await;
        seen = app.requests();
    }
    until("answers after the last restart", async || app.requests() > seen + 40).await;
    over.store(true, Ordering::SeqCst);
    for client in clients {
        assert!(within("the end of a client", client).await.unwrap() > 0);
    }
}
