//! The end of a proxy that has handed over while clients of every kind do not end by themselves.

use std::time::{Duration, Instant};

use paas_proxy::Limits;
use tokio::net::TcpStream;

use crate::support::{App, RawApp, RawHttp2, TestProxy, Wire, frame, kind, limits, time_of, until};

const LIMIT: Duration = Duration::from_millis(700);
/// How long it may take beyond that.
const GRACE: Duration = Duration::from_secs(5);

const BIG: usize = 32 << 20;
const END_STREAM: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const GET: u8 = 2;
const POST: u8 = 3;

/// A tunnel in the middle of a frame both ways, for ever.
async fn stuck_websocket(proxy: &TestProxy) -> Wire {
    let mut wire = proxy.connect().await;
    wire.send("GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    let part = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1];
    wire.send(part).await;
    assert_eq!(wire.exactly(part.len()).await, part);
    wire
}

async fn sent(proxy: &TestProxy, request: &str) -> Wire {
    let mut wire = proxy.connect().await;
    wire.send(request).await;
    wire
}

/// Opens a stream, and then reads nothing: no GOAWAY is seen, and no window opened.
async fn deaf_http2(proxy: &TestProxy, flags: u8, method: u8, path: &str) -> RawHttp2 {
    let mut client = RawHttp2::connect(proxy.address).await;
    let header = RawHttp2::header(method, path);
    client.send(&frame(kind::HEADERS, END_HEADERS | flags, 1, &header)).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_keeps_a_proxy_that_has_handed_over_longer_than_five_seconds() {
    let (proxy, next) =
        TestProxy::start_replaceable(Limits { shutdown_timeout: LIMIT, ..limits() }, false).await;
    let app = App::start("one").await;
    let mut bytes = format!("HTTP/1.1 200 OK\r\nContent-Length: {BIG}\r\n\r\n").into_bytes();
    bytes.resize(bytes.len() + BIG, 7);
    let big = RawApp::start(bytes.leak()).await;
    proxy.put("blog", "a.test", &[("app", app.address)]).await;
    let to_big = crate::support::service("big", &[], &[("big", big.address)]);
    let path = paas_proxy::PathRoute { host: "a.test".to_owned(), prefix: "/big".to_owned(), strip: false };
    let to_big = paas_proxy::ServiceSpec { paths: vec![path], ..to_big };
    proxy.client.put_service(&to_big).await.unwrap();

    // Many, as the moment at which a tunnel is told is chosen by chance.
    let mut tunnels = Vec::new();
    for _ in 0..32 {
        tunnels.push(stuck_websocket(&proxy).await);
    }
    let unanswered = sent(&proxy, "GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let unread = sent(&proxy, "GET /big HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    // Enough for the app to be asked, which answers nothing before it has it whole.
    let half = "x".repeat(4096);
    let stalled = format!("POST /big HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8192\r\n\r\n{half}");
    let stalled = sent(&proxy, &stalled).await;
    let partial = sent(&proxy, "GET / HTTP/1.1\r\nHo").await;
    let streams = [
        deaf_http2(&proxy, END_STREAM, GET, "/gate").await,
        deaf_http2(&proxy, END_STREAM, GET, "/big").await,
        deaf_http2(&proxy, 0, POST, "/big").await,
    ];
    let silent = TcpStream::connect(proxy.https).await.unwrap();
    let mut hello = Wire::connect(proxy.https).await;
    // The beginning of a ClientHello.
    hello.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]).await;
    until("all of it to be under way", async || {
        let open: u64 = proxy.client.metrics().await.unwrap().listeners.iter().map(|one| one.open).sum();
        let (app, big) = (proxy.in_flight("app").await, proxy.in_flight("big").await);
        (app, big, open) == (Some(32 + 2), Some(4), 32 + 4 + 3 + 2)
    })
    .await;

    let begin = Instant::now();
    proxy.client.hand_over().await.unwrap();
    // The successor serves: the limit began a moment ago.
    let took = time_of(async {
        assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "one", "the successor serves");
        proxy.ended().await;
    });
    let took = took.await;
    assert!(begin.elapsed() > LIMIT + GRACE / 2, "they were not stubborn: {took:?}");
    assert!(took < LIMIT + GRACE, "{took:?}");
    drop((tunnels, unanswered, unread, stalled, partial, streams, silent, hello));
    next.stop().await;
}
