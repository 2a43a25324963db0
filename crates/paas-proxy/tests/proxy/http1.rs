//! What clients of HTTP/1.1 may do with a connection, whether a request is only passed on or looked at as a whole.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use paas_proxy::Limits;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use crate::support::{App, RawApp, RawHttp2, TestProxy, frame, in_turn, kind, limits, until};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// One that is only passed on, and one that is looked at.
const PLAIN: &str = "GET /plain HTTP/1.1\r\nHost: a.test\r\n\r\n";
const FULL: &str =
    "POST /full HTTP/1.1\r\nHost: a.test\r\nX-Request-Id: mine\r\nContent-Length: 4\r\n\r\nbody";

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let last = PLAIN.replace("/plain", "/last").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let mut wire = proxy.connect().await;
    wire.send([PLAIN, FULL, PLAIN, PLAIN, FULL, &last].concat()).await;
    let text = String::from_utf8(wire.rest().await).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 6, "{text}");
    assert_eq!(text.matches("connection: close\r\n").count(), 1, "{text}");
    let seen = app.seen().join("");
    let order: Vec<&str> = seen
        .split('/')
        .filter_map(|text| ["plain", "full", "last"].into_iter().find(|path| text.starts_with(path)))
        .collect();
    assert_eq!(order, ["plain", "full", "plain", "plain", "full", "last"], "{seen}");
}

#[tokio::test]
async fn a_request_may_come_in_any_pieces() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.0.get_mut().set_nodelay(true).unwrap();
    for request in [PLAIN, FULL] {
        for byte in request.bytes() {
            wire.send([byte]).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(wire.answer().await.text(), "ok");
    }
    for cut in 1..FULL.len() {
        let (one, other) = FULL.split_at(cut);
        wire.send([PLAIN, one].concat()).await;
        assert_eq!(wire.answer().await.text(), "ok");
        wire.send(other).await;
        assert_eq!(wire.answer().await.text(), "ok", "{cut}");
    }
}

#[tokio::test]
async fn http_2_is_known_by_its_preface_in_whatever_pieces_it_comes() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let begin = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(kind::SETTINGS, 0, 0, &[])].concat();
    for cut in [1, 4, 15, 18, 22, 23, 24, 30] {
        let mut stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&begin[..cut]).await.unwrap();
        // Pieces that come at one time are one.
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(&begin[cut..]).await.unwrap();
        assert_eq!(RawHttp2(stream).next().await.unwrap().kind, kind::SETTINGS, "{cut}");
    }
    // What only begins alike is a method.
    let mut wire = proxy.connect().await;
    wire.send("PRI").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(wire.ask("NT / HTTP/1.1\r\nHost: a.test\r\n\r\n").await.text(), "ok");
    // And it is looked for once.
    wire.send(&begin).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked_before_the_answer_or_not_at_all() {
    let proxy = TestProxy::start().await;
    let app = in_turn(&[OK, OK], Arc::<AtomicU64>::default()).await;
    proxy.put("blog", "a.test", &[("c1", app)]).await;
    let expecting = "POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    let mut wire = proxy.connect().await;
    wire.send(expecting).await;
    assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    wire.send("body").await;
    assert_eq!(wire.answer().await.text(), "ok");
    assert_eq!(wire.ask(PLAIN).await.text(), "ok", "the body is no request");
    // Refused unasked: nobody knows whether the body will come.
    let mut wire = proxy.connect().await;
    wire.send(expecting.replace("a.test", "b.test")).await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (404, Some("close")));
    wire.send(PLAIN).await;
    assert_eq!(wire.rest().await, b"");
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_is_noticed_however_its_request_came() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut first = proxy.connect().await;
    let mut kept = proxy.connect().await;
    kept.get("a.test", "/").await;
    let mut full = proxy.connect().await;
    for (wire, field) in [(&mut first, ""), (&mut kept, ""), (&mut full, "X-Request-Id: 1\r\n")] {
        wire.send(format!("GET /gate HTTP/1.1\r\nHost: a.test\r\n{field}\r\n")).await;
    }
    until("the requests", async || proxy.in_flight("c1").await == Some(3)).await;
    drop((first, kept, full));
    until("their end", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn what_is_no_http_is_told_so_and_counted() {
    let proxy = TestProxy::start().await;
    let mut wire = proxy.connect().await;
    wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on\r\n\r\n").await;
    let answer = wire.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    assert!(answer.text().contains("could not be understood"), "{}", answer.text());
    assert_eq!(wire.rest().await, b"");
    assert_eq!(proxy.client.metrics().await.unwrap().unknown.ended[3], 1);
}

#[tokio::test]
async fn the_page_for_a_head_has_no_body_and_what_follows_is_answered() {
    let proxy = TestProxy::start().await;
    proxy.put("gone", "a.test", &[("c1", ([127, 0, 0, 1], 1).into())]).await;
    for field in ["", "X-Request-Id: 1\r\n"] {
        let mut wire = proxy.connect().await;
        wire.send(format!("HEAD / HTTP/1.1\r\nHost: a.test\r\n{field}\r\n{PLAIN}")).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 502 "));
        assert!(wire.head().await.starts_with("HTTP/1.1 502 "), "the next answer, and no page");
    }
}

#[tokio::test]
async fn a_change_of_the_protocol_that_nobody_asked_for_is_no_answer() {
    let proxy = TestProxy::start().await;
    let app =
        RawApp::start(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    for request in [PLAIN, FULL] {
        assert_eq!(wire.ask(request).await.status, 502);
    }
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn what_a_client_sends_beyond_the_last_request_takes_no_answer_from_it() {
    let proxy = TestProxy::start().await;
    let length = 512 * 1024;
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + length, b'x');
    let app = RawApp::start(answer.leak()).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wires = Vec::new();
    for field in ["", "X-Request-Id: 1\r\n"] {
        let mut wire = proxy.connect().await;
        let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{field}\r\n");
        wire.send(request.repeat(500)).await;
        wires.push(wire);
    }
    until("the first requests", async || app.seen().len() >= 2).await;
    proxy.begin_shutdown();
    for mut wire in wires {
        let text = String::from_utf8(wire.rest().await).unwrap();
        let answers = text.matches("HTTP/1.1 200 ").count();
        assert!(answers >= 1);
        assert_eq!(text.matches('x').count(), answers * length, "each is whole");
    }
    proxy.stop().await;
}

#[tokio::test]
async fn a_connection_whose_body_nobody_wanted_may_idle_as_long_as_any() {
    let header_timeout = Duration::from_millis(300);
    let proxy = TestProxy::start_with(Limits { header_timeout, ..limits() }).await;
    let mut wire = proxy.connect().await;
    wire.send("POST / HTTP/1.1\r\nHost: nobody.test\r\nContent-Length: 400000\r\n\r\n").await;
    assert_eq!(wire.answer().await.status, 404);
    wire.send(vec![b'x'; 400_000]).await;
    // Longer than a header may take.
    tokio::time::sleep(header_timeout * 3).await;
    assert_eq!(wire.get("nobody.test", "/").await.status, 404);
}

#[tokio::test]
async fn a_tunnel_is_one_of_its_clients_connections() {
    let proxy = TestProxy::start_with(Limits { max_connections: 1, ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    let mut other = proxy.connect().await;
    other.send(PLAIN).await;
    let early = tokio::time::timeout(Duration::from_millis(200), other.0.fill_buf()).await;
    assert!(early.is_err(), "there is no place for another");
    drop(wire);
    assert_eq!(other.answer().await.status, 200);
}

#[tokio::test]
async fn a_refused_upload_with_a_request_behind_it_gets_its_answer() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], |spec| spec.policy.max_body = 10).await;
    for behind in [PLAIN.repeat(1000), "no chunk".repeat(1000)] {
        let mut wire = proxy.connect().await;
        // Its length is not told, so that it is refused in the middle.
        wire.send(format!(
            "POST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{}\r\n",
            "x".repeat(20)
        ))
        .await;
        wire.send(format!("0\r\n\r\n{behind}")).await;
        let text = String::from_utf8(wire.rest().await).unwrap();
        assert!(text.starts_with("HTTP/1.1 413 ") && text.contains("\r\n\r\n413 "), "{text}");
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    }
}
