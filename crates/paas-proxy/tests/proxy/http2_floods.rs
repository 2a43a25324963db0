//! Frames that cost the sender nothing (scenarios of CVE-2023-44487, CVE-2024-27316, CVE-2019-9512, -9515, -9518).

use std::time::{Duration, Instant};

use paas_proxy::Limits;
use tokio::io::AsyncReadExt;

use crate::support::{App, Frame, RawApp, RawHttp2, TestProxy, frame, kind, limits, time_of, until, within};

const END_STREAM: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const GET: u8 = 2;
const POST: u8 = 3;

async fn start() -> (TestProxy, App) {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    (proxy, app)
}

/// Sends pieces until there are no more or the proxy has ended the connection, reading all the while. Gives the frames that
/// came, and whether it was ended.
async fn flood(
    proxy: &TestProxy,
    pieces: impl Iterator<Item = Vec<u8>> + Send + 'static,
) -> (Vec<Frame>, bool) {
    let client = RawHttp2::connect(proxy.address).await;
    let (read, mut write) = client.0.into_split();
    let reader = tokio::spawn(async move {
        let mut read = tokio::io::BufReader::new(read);
        let mut frames = Vec::new();
        loop {
            let mut head = [0; 9];
            if read.read_exact(&mut head).await.is_err() {
                return frames;
            }
            let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
            if read.read_exact(&mut payload).await.is_err() {
                return frames;
            }
            frames.push(Frame { kind: head[3], stream: 0, payload });
        }
    });
    let mut ended = false;
    for piece in pieces {
        if tokio::io::AsyncWriteExt::write_all(&mut write, &piece).await.is_err() {
            ended = true;
            break;
        }
    }
    drop(write);
    (within("the end of the flood", reader).await.unwrap(), ended)
}

/// Others are served while a flood goes on, and the target is not flooded.
async fn others_are_served(proxy: &TestProxy) {
    for _ in 0..5 {
        let took = time_of(async {
            assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "one");
        });
        let took = took.await;
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

fn told_to_calm_down(frames: &[Frame]) -> bool {
    let reason = |frame: &Frame| frame.payload.get(4..8) == Some(&[0, 0, 0, 0x0b]);
    frames.iter().any(|frame| frame.kind == kind::GOAWAY && reason(frame))
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_the_connection() {
    let (proxy, app) = start().await;
    let pieces = (0..200_u32).map(|batch| {
        let streams = (0..100).map(|n| 1 + 2 * (batch * 100 + n));
        streams
            .flat_map(|stream| {
                let mut both =
                    frame(kind::HEADERS, END_STREAM | END_HEADERS, stream, &RawHttp2::header(GET, "/"));
                both.extend(frame(kind::RST_STREAM, 0, stream, &[0, 0, 0, 8]));
                both
            })
            .collect()
    });
    let ((frames, _), ()) = tokio::join!(flood(&proxy, pieces), others_are_served(&proxy));
    assert!(told_to_calm_down(&frames), "{frames:?}");
    assert!(app.requests() < 2000, "{} of 20,000 reached the app", app.requests());
}

#[tokio::test]
async fn a_header_without_end_ends_the_connection() {
    let (proxy, app) = start().await;
    // A literal field, again and again (RFC 7541, 6.2.2).
    let field = [&[0x00, 0x01, b'x', 0x7f, 0xe1, 0x1e][..], &[b'a'; 4000]].concat();
    let first = frame(kind::HEADERS, END_STREAM, 1, &RawHttp2::header(GET, "/"));
    let more = (0..5000).map(move |_| frame(kind::CONTINUATION, 0, 1, &field));
    let pieces = std::iter::once(first).chain(more);
    let ((frames, ended), ()) = tokio::join!(flood(&proxy, pieces), others_are_served(&proxy));
    assert!(ended || frames.iter().any(|frame| frame.kind == kind::GOAWAY), "{frames:?}");
    assert_eq!(app.requests(), 5, "the flood's request reached nobody");
}

/// RUSTSEC-2026-0258.
#[tokio::test]
async fn empty_pieces_end_the_connection() {
    let (proxy, _app) = start().await;
    let begin = frame(kind::HEADERS, END_HEADERS, 1, &RawHttp2::header(POST, "/echo"));
    let empty = frame(kind::DATA, 0, 1, &[]).repeat(100);
    let pieces = std::iter::once(begin).chain((0..200).map(move |_| empty.clone()));
    let ((frames, _), ()) = tokio::join!(flood(&proxy, pieces), others_are_served(&proxy));
    assert!(told_to_calm_down(&frames), "{frames:?}");
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn pings_and_settings_end_the_connection() {
    let (proxy, _app) = start().await;
    let ping = frame(kind::PING, 0, 0, &[7; 8]).repeat(100);
    let settings = frame(kind::SETTINGS, 0, 0, &[]).repeat(100);
    for piece in [ping, settings] {
        let pieces = (0..500).map(move |_| piece.clone());
        let ((frames, _), ()) = tokio::join!(flood(&proxy, pieces), others_are_served(&proxy));
        assert!(frames.iter().any(|frame| frame.kind == kind::GOAWAY), "{} frames", frames.len());
        assert!(frames.len() < 30_000, "{} answers for 50,000 frames", frames.len());
    }
}

/// A field is remembered once and named thousands of times, a byte each (RFC 7541, 7.3): 48 MB of fields in 16 KB.
#[tokio::test]
async fn a_header_that_swells_when_it_is_unpacked_reaches_nobody() {
    let (proxy, app) = start().await;
    // Remembered: a literal field with a value of 3,000 bytes (6.2.1); then its index (6.1).
    let remembered = [&[0x40, 0x01, b'x', 0x7f, 0xb9, 0x16][..], &[b'a'; 3000]].concat();
    let first = [RawHttp2::header(GET, "/"), remembered].concat();
    let bomb = [RawHttp2::header(GET, "/"), vec![0xbe; 16_000]].concat();
    let pieces = (0..200_u32).map(move |number| {
        let block = if number == 0 { &first } else { &bomb };
        frame(kind::HEADERS, END_STREAM | END_HEADERS, 1 + 2 * number, block)
    });
    let ((frames, _), ()) = tokio::join!(flood(&proxy, pieces), others_are_served(&proxy));
    assert!(!frames.is_empty());
    assert!(app.requests() <= 6, "{} requests, and one was of a header that is small enough", app.requests());
}

#[tokio::test]
async fn a_hundred_thousand_streams_are_not_held_at_once() {
    let (proxy, app) = start().await;
    let pieces = (0..1000_u32).map(|batch| {
        let streams = (0..100).map(|n| 1 + 2 * (batch * 100 + n));
        streams
            .flat_map(|stream| frame(kind::HEADERS, END_HEADERS, stream, &RawHttp2::header(POST, "/echo")))
            .collect()
    });
    let ((frames, _), ()) = tokio::join!(flood(&proxy, pieces), others_are_served(&proxy));
    assert!(told_to_calm_down(&frames), "{} frames", frames.len());
    assert!(app.requests() < 1000, "{} of 100,000 reached the app", app.requests());
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn who_reads_nothing_at_all_is_left() {
    let limits = Limits { stall_timeout: Duration::from_millis(700), ..limits() };
    let proxy = TestProxy::start_with(limits).await;
    // More than the client's buffers and ours have room for.
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 32 << 20);
    let app = RawApp::start([head.as_bytes(), &vec![b'x'; 32 << 20]].concat().leak()).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut client = RawHttp2::connect(proxy.address).await;
    // It says that it takes all there is.
    client.send(&frame(kind::SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff])).await.unwrap();
    client.send(&frame(kind::WINDOW_UPDATE, 0, 0, &[0x7f, 0, 0, 0])).await.unwrap();
    let request = frame(kind::HEADERS, END_STREAM | END_HEADERS, 1, &RawHttp2::header(GET, "/"));
    client.send(&request).await.unwrap();
    until("the request", async || !app.seen().is_empty()).await;
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_given_up() {
    let stall_timeout = Duration::from_millis(700);
    let proxy = TestProxy::start_with(Limits { stall_timeout, ..limits() }).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut client = RawHttp2::connect(proxy.address).await;
    // A window of one byte for each stream (SETTINGS_INITIAL_WINDOW_SIZE).
    client.send(&frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1])).await.unwrap();
    let open =
        |stream, path| frame(kind::HEADERS, END_STREAM | END_HEADERS, stream, &RawHttp2::header(GET, path));
    let begin = Instant::now();
    client.send(&open(1, "/stream")).await.unwrap();
    app.emit(b"a piece").await;
    app.emit(b"another").await;
    until("the request", async || app.requests() == 1).await;
    // The connection is busy with others meanwhile.
    let mut stream = 3;
    until("the end of the stream", async || {
        client.send(&open(stream, "/")).await.unwrap();
        stream += 2;
        tokio::time::sleep(Duration::from_millis(20)).await;
        proxy.in_flight("c1").await == Some(0)
    })
    .await;
    assert!(begin.elapsed() >= stall_timeout, "{:?}", begin.elapsed());
    let reset = async {
        while let Some(frame) = client.next().await {
            if frame.kind == kind::RST_STREAM && frame.stream == 1 {
                return true;
            }
        }
        false
    };
    assert!(reset.await);
}
