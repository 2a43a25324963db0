use std::time::Duration;

use paas_proxy::Limits;

use crate::support::{App, RawApp, TestProxy, limits, time_of, undisturbed, until};

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(length)
    .collect()
}

#[tokio::test]
async fn pieces_arrive_while_the_body_is_open() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    for piece in [&b"data: 1\n\n"[..], b"data: 2\n\n", b"data: 3\n\n"] {
        // The next piece is sent only after this one arrived, so nothing can wait for more.
        let took = time_of(async {
            app.emit(piece).await;
            if piece.ends_with(b"1\n\n") {
                let head = wire.head().await;
                assert!(head.contains("transfer-encoding: chunked"), "{head}");
            }
            assert_eq!(wire.chunk().await, piece);
        });
        let took = took.await;
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert_eq!(proxy.in_flight("c1").await, Some(1), "in flight until the last byte");
    }
    app.emit(b"").await;
    assert_eq!(wire.chunk().await, b"");
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_come_back_byte_for_byte() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    for length in [0, 1, 64 * 1024, 1024 * 1024 + 7, 10 * 1024 * 1024] {
        let body = noise(length);
        let mut request =
            format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        request.extend_from_slice(&body);
        let stream = tokio::net::TcpStream::connect(proxy.address).await.unwrap();
        let (read, mut write) = stream.into_split();
        let sent = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut write, &request).await.unwrap();
            write
        });
        let mut answer = Vec::new();
        let mut read = tokio::io::AsyncReadExt::take(read, u64::MAX);
        while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
            assert_ne!(tokio::io::AsyncReadExt::read_buf(&mut read, &mut answer).await.unwrap(), 0);
        }
        let begin = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8_lossy(&answer[..begin]).into_owned();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains(&format!("content-length: {length}\r\n")), "{head}");
        while answer.len() < begin + length {
            assert_ne!(tokio::io::AsyncReadExt::read_buf(&mut read, &mut answer).await.unwrap(), 0);
        }
        assert!(answer[begin..] == body[..], "{length} bytes differ");
        drop(sent.await.unwrap());
    }
}

#[tokio::test]
async fn chunks_and_trailers_pass_both_ways() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: down\r\n\r\n",
    )
    .await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send(
        "POST / HTTP/1.1\r\nHost: a.test\r\nTE: trailers\r\nConnection: TE, close\r\nTransfer-Encoding: chunked\r\n\
         Trailer: X-Sum\r\n\r\n3;ext=1\r\nabc\r\n0\r\nX-Sum: up\r\n\r\n",
    )
    .await;
    let text = String::from_utf8_lossy(&wire.rest().await).into_owned();
    assert!(text.ends_with("2\r\nok\r\n0\r\nx-sum: down\r\n\r\n"), "{text}");
    let seen = app.seen().join("");
    assert!(seen.ends_with("3\r\nabc\r\n0\r\nx-sum: up\r\n\r\n"), "{seen}");
    assert!(seen.contains("te: trailers\r\n"), "{seen}");
}

#[tokio::test]
async fn continue_is_sent_when_the_body_is_wanted() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("POST /echo HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(wire.ask("body").await.text(), "body");

    proxy.put("empty", "b.test", &[]).await;
    let mut wire = proxy.connect().await;
    wire.send("POST /echo HTTP/1.1\r\nHost: b.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 503 "), "refused without asking for the body");
}

#[tokio::test]
async fn a_body_cut_by_the_app_is_cut_for_the_client() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    app.emit(b"half").await;
    wire.head().await;
    assert_eq!(wire.chunk().await, b"half");
    drop(app);
    let rest = wire.rest().await;
    assert!(!rest.windows(5).any(|window| window == b"0\r\n\r\n"), "no proper end: {rest:?}");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request_at_the_app() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut waiting = proxy.connect().await;
    waiting.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let mut streaming = proxy.connect().await;
    streaming.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    app.emit(b"first").await;
    streaming.head().await;
    until("both requests", async || proxy.in_flight("c1").await == Some(2)).await;
    drop((waiting, streaming));
    until("their end", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn a_slow_upload_may_take_longer_than_the_answer() {
    let short = Duration::from_millis(400);
    let proxy = TestProxy::start_with(Limits { response_timeout: short, ..limits() }).await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    undisturbed(short, async |watch| {
        let mut wire = proxy.connect().await;
        wire.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n").await;
        for _ in 0..9 {
            // The pace of the upload is what is tested.
            tokio::time::sleep(Duration::from_millis(100)).await;
            wire.send("x").await;
        }
        // From the last byte on it is the app's turn.
        watch.start();
        assert_eq!(wire.ask("x").await.status, 200);
    })
    .await;

    let limits = Limits { response_timeout: short, stall_timeout: short, ..limits() };
    let proxy = TestProxy::start_with(limits).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nx").await;
    assert_eq!(wire.answer().await.status, 408, "an upload that stands still is the client's fault");
}
