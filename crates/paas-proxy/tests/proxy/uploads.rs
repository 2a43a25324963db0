//! Requests whose body is still coming when everything else about them is settled.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use paas_proxy::{Limits, ServiceSpec, TargetState};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{App, FRESH, TestProxy, in_turn, limits, undisturbed, until, within};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// An app that answers as soon as it has a header, and goes on reading all that comes.
struct EarlyApp {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl EarlyApp {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Self::serve(stream, Arc::clone(&all)));
            }
        });
        Self { address, seen }
    }

    async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<u8>>>) {
        let mut buffer = vec![0; 64 * 1024];
        let mut has_answered = false;
        loop {
            let count = stream.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return;
            }
            seen.lock().unwrap().extend_from_slice(&buffer[..count]);
            if !std::mem::replace(&mut has_answered, true) {
                stream.write_all(OK).await.unwrap();
            }
        }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }
}

/// What of a body the proxy has before it asks an app.
const BEGINNING: usize = 2048;

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n")
}

async fn state(proxy: &TestProxy) -> Option<TargetState> {
    let services = proxy.client.services().await.unwrap();
    services
        .iter()
        .flat_map(|service| &service.targets)
        .find(|target| target.id == "c1")
        .map(|status| status.state)
}

#[tokio::test]
async fn an_upload_whose_answer_came_early_arrives_whole_and_counts_until_then() {
    let proxy = TestProxy::start().await;
    let app = EarlyApp::start().await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let length = 4 * 1024 * 1024;
    let mut wire = proxy.connect().await;
    wire.send(post(length)).await;
    wire.send("first").await;
    wire.send([b'x'; BEGINNING]).await;
    assert_eq!(wire.answer().await.text(), "ok");
    assert_eq!(proxy.in_flight("c1").await, Some(1), "the app is still being sent the rest");
    let other = App::start("two").await;
    proxy.put("blog", "a.test", &[("c2", other.address)]).await;
    assert_eq!(state(&proxy).await, Some(TargetState::Draining), "and is not ended under it");
    wire.send(vec![b'x'; length - BEGINNING - 10]).await;
    wire.send("_last").await;
    until("the rest", async || app.seen().ends_with("_last")).await;
    until("the end", async || !matches!(state(&proxy).await, Some(TargetState::Draining))).await;
    let seen = app.seen();
    let body = seen.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body.len(), length);
    assert!(body.starts_with("firstxxx"));
    assert_eq!(wire.get("a.test", "/").await.text(), "two", "the connection is good for another request");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_an_upload_never_becomes_a_request() {
    const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
    let proxy = TestProxy::start().await;
    let app = EarlyApp::start().await;
    let other = App::start("two").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.put("shop", "b.test", &[("c2", other.address)]).await;
    // Of an app that answered early, and of hosts that are refused: none with that name, none that could be connected to.
    proxy.put("gone", "c.test", &[("c3", ([127, 0, 0, 1], 1).into())]).await;
    let hosts = [("a.test", 200), ("d.test", 404), ("c.test", 502)];
    let each = hosts.map(async |(host, status)| {
        let mut wire = proxy.connect().await;
        wire.send(post(BEGINNING + SMUGGLED.len() * 2).replace("a.test", host)).await;
        wire.send([b'x'; BEGINNING]).await;
        assert_eq!(wire.answer().await.status, status, "{host}");
        // Longer than a connection must be silent to be put to rest: that is what is tested.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        let rest = SMUGGLED.replace("a.test", "b.test").repeat(2);
        // A connection that was closed may not take it.
        let _ = wire.0.write_all(rest.as_bytes()).await;
        let _ = wire.0.write_all(b"GET /next HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n").await;
        let text = String::from_utf8_lossy(&wire.rest().await).into_owned();
        assert!(text.matches("HTTP/1.1 ").count() <= 1, "{host}: {text}");
    });
    futures_util::future::join_all(each).await;
    assert!(other.requests() <= 3, "what was sent after the bodies, and nothing in them");
    until("the body of the first", async || app.seen().matches("GET /smuggled").count() == 2).await;
}

#[tokio::test]
async fn an_app_is_not_asked_before_a_short_body_is_whole_and_the_first_app_is_the_one() {
    let proxy = TestProxy::start().await;
    let (app, other) = (App::start("one").await, App::start("two").await);
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send(post(10)).await;
    for byte in "012345678".bytes() {
        wire.send([byte]).await;
        until("its count", async || proxy.in_flight("c1").await == Some(1)).await;
        assert_eq!(app.requests(), 0);
    }
    proxy.put("blog", "a.test", &[("c2", other.address)]).await;
    assert_eq!(state(&proxy).await, Some(TargetState::Draining));
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "two");
    wire.send("9").await;
    assert_eq!(wire.answer().await.text(), "one");
    assert_eq!((app.requests(), other.requests()), (1, 1));
    until("the end", async || !matches!(state(&proxy).await, Some(TargetState::Draining))).await;
}

#[tokio::test]
async fn an_app_hears_nothing_of_a_body_that_never_begins() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    // One that sends no more, one that ends its side, one that leaves, one whose app has left service for too long.
    let hasty = TestProxy::start_with(Limits { stall_timeout: Duration::from_millis(300), ..limits() }).await;
    hasty.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut silent = hasty.connect().await;
    silent.send(post(10) + "abc").await;
    assert_eq!(silent.answer().await.status, 408);
    let mut half = proxy.connect().await;
    half.send(post(10) + "abc").await;
    half.0.shutdown().await.unwrap();
    assert_eq!(half.answer().await.status, 400);
    let mut gone = proxy.connect().await;
    gone.send(post(10) + "abc").await;
    until("its count", async || proxy.in_flight("c1").await == Some(1)).await;
    drop(gone);
    until("its end", async || proxy.in_flight("c1").await == Some(0)).await;
    let mut late = proxy.connect().await;
    late.send(post(10) + "abc").await;
    until("its count", async || proxy.in_flight("c1").await == Some(1)).await;
    proxy.put("blog", "a.test", &[("c2", app.address)]).await;
    let left = proxy.client.wait_drained("c1", Duration::from_millis(50)).await.unwrap().in_flight_left;
    assert_eq!((left, late.answer().await.status), (1, 504));
    assert_eq!(app.requests(), 0);
}

#[tokio::test]
async fn an_upload_that_stands_still_after_its_answer_began_is_ended() {
    let stall_timeout = Duration::from_millis(300);
    let proxy = TestProxy::start_with(Limits { stall_timeout, ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = undisturbed(stall_timeout, async |watch| {
        let mut wire = proxy.connect().await;
        watch.start();
        let chunked = "POST /echo HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
        wire.send(format!("{chunked}1\r\nx\r\n")).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
        assert_eq!(wire.chunk().await, b"x");
        wire
    })
    .await;
    let rest = wire.rest().await;
    assert_eq!(rest, b"", "the answer does not look complete");
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn a_body_that_trickles_in_is_answered_408() {
    let limits = Limits { body_grace: Duration::from_millis(300), body_rate: 1000, ..limits() };
    let proxy = TestProxy::start_with(limits).await;
    let app = EarlyApp::start().await;
    let slow = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.put("shop", "b.test", &[("c2", slow.address)]).await;
    // One whose app waits for the whole body.
    let mut wire = proxy.connect().await;
    wire.send("POST /gate HTTP/1.1\r\nHost: b.test\r\nContent-Length: 100000\r\n\r\n").await;
    let (mut read, mut write) = tokio::io::split(wire.0);
    let trickle = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            // The pace of the upload is what is tested.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = vec![0; 4096];
    let count = within("an answer", read.read(&mut answer)).await.unwrap();
    let text = String::from_utf8_lossy(&answer[..count]).into_owned();
    assert!(text.starts_with("HTTP/1.1 408 ") && text.contains("connection: close"), "{text}");
    trickle.abort();
    until("the end of the count", async || proxy.in_flight("c2").await == Some(0)).await;

    // A fast one may take longer than the grace as a whole.
    let mut wire = proxy.connect().await;
    wire.send("POST /echo HTTP/1.1\r\nHost: b.test\r\nContent-Length: 6000\r\n\r\n").await;
    for _ in 0..6 {
        wire.send([b'x'; 1000]).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(wire.answer().await.body.len(), 6000);
}

#[tokio::test]
async fn a_client_that_still_sends_can_read_why_it_failed() {
    let proxy = TestProxy::start().await;
    // An app that takes nothing, which alone has little time, and one that closes after the header.
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hasty = |spec: &mut ServiceSpec| spec.policy.response_timeout_ms = Some(300);
    proxy.put_as("blog", "a.test", &[("c1", deaf.local_addr().unwrap())], hasty).await;
    proxy.put("shop", "b.test", &[("c2", closing.local_addr().unwrap())]).await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = closing.accept().await.unwrap();
            let _ = stream.read(&mut [0; 16]).await;
        }
    });
    let length = 24 * 1024 * 1024;
    for (host, status) in [("a.test", 504), ("b.test", 502), ("d.test", 404)] {
        let mut wire = proxy.connect().await;
        wire.send(post(length).replace("a.test", host)).await;
        within("the upload", wire.send(vec![b'x'; length])).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_timeout_that_crossed_a_request_is_not_its_answer() {
    // It answers the second request of a connection that this was idle for too long.
    let turns: &[&[u8]] =
        &[OK, b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"];
    undisturbed(FRESH, async |watch| {
        let proxy = TestProxy::start().await;
        let requests = Arc::new(AtomicU64::new(0));
        let address = in_turn(turns, Arc::clone(&requests)).await;
        proxy.put("blog", "a.test", &[("c1", address)]).await;
        let mut wire = proxy.connect().await;
        watch.start();
        assert_eq!(wire.get("a.test", "/").await.status, 200);
        assert_eq!(wire.get("a.test", "/").await.status, 200, "asked again on a new connection");
        assert_eq!(requests.load(Ordering::SeqCst), 3);
        let answer = wire.ask("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi").await;
        assert_eq!(answer.status, 408, "a POST is never sent twice");
        assert_eq!(requests.load(Ordering::SeqCst), 4);
    })
    .await;
}
