use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use h2::Reason;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Frame;
use paas_proxy::{ProxyClientError, ServiceSpec, TargetProtocol};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{
    App, Certified, Deaf, H2cApp, RawApp, Sender, TestProxy, collected, frames, http2, next, service, until,
    whole, within,
};

fn h2c(name: &str, id: &str, address: SocketAddr) -> ServiceSpec {
    let mut spec = service(name, &["a.test"], &[(id, address)]);
    spec.targets[0].protocol = TargetProtocol::H2c;
    spec
}

/// A proxy before such an app, and an encrypted HTTP/2 connection to it.
async fn before(address: SocketAddr) -> (TestProxy, Sender) {
    let proxy = TestProxy::start().await;
    proxy.client.put_service(&h2c("blog", "c1", address)).await.unwrap();
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let sender = http2(proxy.https, "a.test").await;
    (proxy, sender)
}

fn get(path: &str) -> Request<crate::support::Body> {
    Request::get(format!("https://a.test{path}")).header("te", "trailers").body(whole("")).unwrap()
}

#[tokio::test]
async fn a_call_arrives_as_http2_and_its_trailers_come_back() {
    let app = H2cApp::start("one").await;
    let (proxy, mut sender) = before(app.address).await;
    let request = Request::post("https://A.test:1234/pkg.Service/Method?x=%2F")
        .header("te", "trailers")
        .header("x-forwarded-for", "6.6.6.6")
        .body(whole("message"))
        .unwrap();
    let answer = within("an answer", sender.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), 200);
    let (text, trailers) = collected(answer.into_body()).await;
    assert_eq!((&*text, &trailers.unwrap()["grpc-status"]), ("one", &HeaderValue::from_static("0")));
    let (target, header) = app.seen().remove(0);
    assert_eq!(target, "http://A.test:1234/pkg.Service/Method?x=%2F");
    assert_eq!(header["te"], "trailers");
    assert_eq!(header["x-forwarded-for"], "127.0.0.1");
    assert_eq!(header["x-forwarded-proto"], "https");
    assert!(!header.contains_key("host"), "{header:?}");
    // HTTP/1.1 clients reach it too, on the same connection.
    proxy.client.delete_certificate("a.test").await.unwrap();
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "one");
    assert_eq!(app.connections(), 1);
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn both_sides_may_talk_at_once() {
    let app = H2cApp::start("one").await;
    let (proxy, mut sender) = before(app.address).await;
    let (frame, body) = frames();
    let request = Request::post("https://a.test/echo").body(body).unwrap();
    // The header of the answer comes before the first byte of the request's body.
    let answer = within("the header", sender.send_request(request)).await.unwrap();
    let mut answer = answer.into_body();
    for message in ["one", "two", "three"] {
        frame.send(Frame::data(Bytes::from(message))).await.unwrap();
        assert_eq!(next(&mut answer).await.into_data().unwrap(), message);
    }
    assert_eq!(proxy.in_flight("c1").await, Some(1));
    let trailers = HeaderMap::from_iter([("x-end".parse().unwrap(), HeaderValue::from_static("yes"))]);
    frame.send(Frame::trailers(trailers.clone())).await.unwrap();
    drop(frame);
    assert_eq!(next(&mut answer).await.into_trailers().unwrap(), trailers);
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_call() {
    let app = H2cApp::start("one").await;
    let (proxy, mut sender) = before(app.address).await;
    let (frame, body) = frames();
    let request = Request::post("https://a.test/echo").body(body).unwrap();
    let answer = within("the header", sender.send_request(request)).await.unwrap();
    drop((answer, frame));
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
    // The connection is still good.
    let answer = within("an answer", sender.send_request(get("/"))).await.unwrap();
    assert_eq!(collected(answer.into_body()).await.0, "one");
    assert_eq!(app.connections(), 1);
}

#[tokio::test]
async fn requests_share_connections_and_none_waits_for_another() {
    const CALLS: usize = 150;
    let app = H2cApp::start("one").await;
    let (proxy, mut sender) = before(app.address).await;
    let calls: Vec<_> = (0..CALLS).map(|_| tokio::spawn(sender.send_request(get("/gate")))).collect();
    until("all of them", async || app.requests() == CALLS as u64).await;
    assert_eq!(app.connections(), 2, "one for each hundred");
    let answer = within("one more", sender.send_request(get("/"))).await.unwrap();
    assert_eq!(collected(answer.into_body()).await.0, "one");
    assert_eq!(proxy.in_flight("c1").await, Some(CALLS as u64));
    (0..CALLS).for_each(|_| app.open_gate());
    for call in calls {
        let answer = within("an answer", call).await.unwrap().unwrap();
        assert_eq!(collected(answer.into_body()).await.0, "one");
    }
    assert_eq!(app.connections(), 2);
}

#[tokio::test]
async fn a_target_that_allows_few_calls_gets_more_connections() {
    let app = H2cApp::start_with("one", 2).await;
    let (_proxy, mut sender) = before(app.address).await;
    // After it the target's settings are known.
    within("an answer", sender.send_request(get("/"))).await.unwrap();
    let waiting: Vec<_> = (0..5).map(|_| tokio::spawn(sender.send_request(get("/gate")))).collect();
    until("all five at the same time", async || app.requests() == 6).await;
    assert_eq!(app.connections(), 3);
    (0..5).for_each(|_| app.open_gate());
    for call in waiting {
        assert_eq!(within("an answer", call).await.unwrap().unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn visitors_who_take_nothing_hold_up_nobody() {
    let app = H2cApp::start("one").await;
    let (proxy, mut sender) = before(app.address).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut sender = http2(proxy.https, "a.test").await;
        let answer = within("the header", sender.send_request(get("/big"))).await.unwrap();
        slow.push((answer, sender));
    }
    let answer = within("an answer", sender.send_request(get("/big"))).await.unwrap();
    assert_eq!(collected(answer.into_body()).await.0.len(), 4 * 1024 * 1024);
    assert_eq!((app.connections(), proxy.in_flight("c1").await), (1, Some(20)));
}

#[tokio::test]
async fn a_broken_connection_is_replaced() {
    let app = H2cApp::start("one").await;
    let (_proxy, mut sender) = before(app.address).await;
    let slow = tokio::spawn(sender.send_request(get("/gate")));
    until("the slow request", async || app.requests() == 1).await;
    app.break_connections();
    // It may have been acted upon, so it is not sent again.
    assert_eq!(within("an answer", slow).await.unwrap().unwrap().status(), StatusCode::BAD_GATEWAY);
    assert_eq!(app.requests(), 1);
    for _ in 0..5 {
        let answer = within("an answer", sender.send_request(get("/"))).await.unwrap();
        assert_eq!(collected(answer.into_body()).await.0, "one");
    }
    assert_eq!(app.connections(), 2);
}

#[tokio::test]
async fn a_drain_counts_calls_and_cuts_them_at_its_deadline() {
    let (old, new) = (H2cApp::start("old").await, H2cApp::start("new").await);
    let (proxy, mut sender) = before(old.address).await;
    let (frame, body) = frames();
    let request = Request::post("https://a.test/echo").body(body).unwrap();
    let mut answer = within("the header", sender.send_request(request)).await.unwrap().into_body();
    proxy.client.put_service(&h2c("blog", "c2", new.address)).await.unwrap();
    assert_eq!(proxy.in_flight("c1").await, Some(1));
    let other = within("an answer", sender.send_request(get("/"))).await.unwrap();
    assert_eq!(collected(other.into_body()).await.0, "new");
    frame.send(Frame::data(Bytes::from("still"))).await.unwrap();
    assert_eq!(next(&mut answer).await.into_data().unwrap(), "still");
    let outcome = proxy.client.wait_drained("c1", Duration::from_millis(200)).await.unwrap();
    assert_eq!(outcome.in_flight_left, 1);
    let cut = within("the cut", http_body_util::BodyExt::frame(&mut answer)).await;
    assert!(matches!(cut, Some(Err(_))), "an answer that is cut never looks complete: {cut:?}");
    until("the end of the connection", async || old.open() == 0).await;
}

#[tokio::test]
async fn a_targets_protocol_does_not_change_under_it() {
    let app = H2cApp::start("one").await;
    let (proxy, _sender) = before(app.address).await;
    let refused = proxy.client.put_service(&service("blog", &["a.test"], &[("c1", app.address)])).await;
    assert!(matches!(refused, Err(ProxyClientError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn what_speaks_no_http2_is_a_bad_answer() {
    let app = RawApp::start(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let (_proxy, mut sender) = before(app.address).await;
    assert_eq!(within("an answer", sender.send_request(get("/"))).await.unwrap().status(), 502);
}

#[tokio::test]
async fn an_upgrade_is_answered_as_if_nobody_had_asked() {
    let app = H2cApp::start("one").await;
    let (proxy, _sender) = before(app.address).await;
    proxy.client.delete_certificate("a.test").await.unwrap();
    let request = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let answer = proxy.connect().await.ask(request).await;
    assert_eq!((answer.status, answer.text()), (200, "one".to_owned()));
    let (_, header) = app.seen().remove(0);
    assert!(!header.contains_key("upgrade") && !header.contains_key("connection"), "{header:?}");
}

/// What an app does with its first streams before it serves.
#[derive(Clone, Copy)]
enum Refusing {
    Streams,
    Connection,
}

/// An app that takes up nothing on its first connection; gives how many requests it has served.
async fn refusing(how: Refusing) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        for connection in 0_u32.. {
            let (stream, _) = listener.accept().await.unwrap();
            match how {
                _ if connection > 0 => drop(tokio::spawn(take_up(stream, None))),
                Refusing::Streams => drop(tokio::spawn(take_up(stream, Some(Reason::REFUSED_STREAM)))),
                Refusing::Connection => go_away(stream).await,
            }
        }
    });
    (address, task)
}

async fn take_up(stream: TcpStream, refuse: Option<Reason>) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        match refuse {
            Some(reason) => respond.send_reset(reason),
            None => drop(respond.send_response(Response::new(()), true)),
        }
    }
}

/// Ends the connection in good order, before the first stream.
async fn go_away(mut stream: TcpStream) {
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let go_away = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    stream.write_all(&settings).await.unwrap();
    let mut read = Vec::new();
    // Until a HEADERS frame: type 1 on stream 1.
    while !read.windows(6).any(|window| window[0] == 1 && window[2..] == [0, 0, 0, 1]) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0);
    }
    stream.write_all(&go_away).await.unwrap();
    let _ = stream.read_to_end(&mut read).await;
}

#[tokio::test]
async fn what_was_not_taken_up_is_sent_again_if_it_has_no_body() {
    for how in [Refusing::Streams, Refusing::Connection] {
        let (address, _task) = refusing(how).await;
        let (_proxy, mut sender) = before(address).await;
        // Not even idempotent, but nothing was done.
        let request = Request::post("https://a.test/").body(whole("")).unwrap();
        assert_eq!(within("an answer", sender.send_request(request)).await.unwrap().status(), 200);
        let (address, _task) = refusing(how).await;
        let (_proxy, mut sender) = before(address).await;
        let request = Request::post("https://a.test/").body(whole("body")).unwrap();
        assert_eq!(within("an answer", sender.send_request(request)).await.unwrap().status(), 502);
    }
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_passed_over() {
    let app = H2cApp::start("one").await;
    let old = App::start("plain").await;
    let (proxy, mut sender) = before(app.address).await;
    let deaf = Deaf::new();
    let mut spec = service("blog", &["a.test"], &[("c3", deaf.address), ("c4", old.address)]);
    spec.targets[0].protocol = TargetProtocol::H2c;
    proxy.client.put_service(&spec).await.unwrap();
    for _ in 0..8 {
        let request = Request::post("https://a.test/echo").body(whole("body")).unwrap();
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(collected(answer.into_body()).await.0, "body");
    }
}
