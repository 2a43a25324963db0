use std::time::{Duration, Instant};

use paas_proxy::Limits;
use tokio::net::TcpStream;

use crate::support::{
    App, LAST_REQUESTS, RawApp, RawHttp2, TestProxy, Wire, kind, limits, undisturbed, until,
};

#[tokio::test]
async fn requests_in_flight_end_and_no_new_ones_begin() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || app.requests() == 1).await;
    proxy.begin_shutdown();
    until("the end of the listener", async || TcpStream::connect(proxy.address).await.is_err()).await;
    assert!(proxy.is_running());
    app.open_gate();
    let answer = slow.answer().await;
    assert_eq!((answer.text(), answer.header("connection")), ("one".to_owned(), Some("close")));
    proxy.stop().await;
}

#[tokio::test]
async fn a_connection_whose_request_is_under_way_is_served() {
    undisturbed(LAST_REQUESTS, async |watch| {
        let proxy = TestProxy::start().await;
        let app = App::start("one").await;
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        let mut new = proxy.connect().await;
        let mut kept = proxy.connect().await;
        kept.get("a.test", "/").await;
        watch.start();
        proxy.begin_shutdown();
        until("the end of the listener", async || TcpStream::connect(proxy.address).await.is_err()).await;
        for wire in [&mut new, &mut kept] {
            let answer = wire.get("a.test", "/").await;
            assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
        }
        watch.stop();
        proxy.stop_within(Duration::from_secs(2)).await;
    })
    .await;
}

#[tokio::test]
async fn it_does_not_wait_for_ever() {
    let proxy =
        TestProxy::start_with(Limits { shutdown_timeout: Duration::from_millis(600), ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let mut idle = proxy.connect().await;
    idle.get("a.test", "/").await;
    until("the slow request", async || app.requests() == 2).await;
    let begin = Instant::now();
    proxy.stop().await;
    assert!(begin.elapsed() >= Duration::from_millis(600) && begin.elapsed() < Duration::from_secs(5));
    let answer = slow.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (504, Some("close")));
    assert_eq!(slow.rest().await, b"");
}

#[tokio::test]
async fn websockets_do_not_hold_it_up() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    proxy.stop_within(Duration::from_secs(3)).await;
    assert_eq!(wire.rest().await, [0x88, 0x02, 0x03, 0xe9]);
}

#[tokio::test]
async fn event_streams_do_not_hold_it_up() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:\n\r\n",
    )
    .await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    wire.head().await;
    assert_eq!(wire.chunk().await, b"data:\n");
    proxy.stop_within(Duration::from_secs(3)).await;
    assert_eq!(wire.rest().await, b"", "cut, not ended: the client asks again");
}

#[tokio::test]
async fn a_silent_client_of_http2_does_not_hold_it_up_and_is_told() {
    let proxy = TestProxy::start().await;
    let mut silent = RawHttp2::connect(proxy.address).await;
    // Its settings have been read.
    while silent.next().await.unwrap().kind != kind::SETTINGS {}
    proxy.stop_within(Duration::from_secs(4)).await;
    assert!(silent.rest().await.iter().any(|frame| frame.kind == kind::GOAWAY));
}

#[tokio::test]
async fn an_idle_client_of_http2_is_told_to_go() {
    let proxy = TestProxy::start_with(Limits { idle_timeout: Duration::from_millis(300), ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut idle = RawHttp2::connect(proxy.address).await;
    idle.send(&crate::support::frame(kind::HEADERS, 0x05, 1, &RawHttp2::header(2, "/"))).await.unwrap();
    let frames = idle.rest().await;
    assert!(frames.iter().any(|frame| frame.kind == kind::DATA && frame.payload == b"one"), "{frames:?}");
    assert!(frames.iter().any(|frame| frame.kind == kind::GOAWAY), "{frames:?}");
}

/// What the app has sent and the client not taken is in three places: on its way, in the kernel, and with us.
#[tokio::test(flavor = "multi_thread")]
async fn answers_on_their_way_arrive_whole() {
    let proxy = TestProxy::start().await;
    let lengths: Vec<usize> = (1..=24).map(|step| step * 16 * 1024).collect();
    let mut wires = Vec::new();
    for (number, length) in lengths.iter().enumerate() {
        let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        answer.resize(answer.len() + length, b'x');
        let app = RawApp::start(answer.leak()).await;
        let (name, host) = (format!("s{number}"), format!("h{number}.test"));
        proxy.put(&name, &host, &[(&format!("c{number}"), app.address)]).await;
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let mut wire = Wire::over(socket.connect(proxy.address).await.unwrap());
        wire.send(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        until("the request", async || !app.seen().is_empty()).await;
        wires.push((wire, app));
    }
    proxy.begin_shutdown();
    // Longer than a connection is kept that has nothing under way: that is what is tested.
    tokio::time::sleep(Duration::from_millis(600)).await;
    for ((wire, _app), length) in wires.iter_mut().zip(lengths) {
        assert_eq!(wire.answer().await.body.len(), length);
    }
    proxy.stop().await;
}
