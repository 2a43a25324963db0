use std::io::Read;

use paas_proxy::ServiceSpec;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

use crate::support::{Answer, RawApp, TestProxy};

const CODINGS: [&str; 3] = ["gzip", "br", "zstd"];

fn compressing(spec: &mut ServiceSpec) {
    spec.policy.compression = true;
}

fn request(method: &str, accept: &str) -> String {
    format!("{method} / HTTP/1.1\r\nHost: a.test\r\nAccept-Encoding: {accept}\r\n\r\n")
}

/// So many bytes of what was packed; the end need not be there.
fn unpacked(coding: &str, packed: &[u8], length: usize) -> Vec<u8> {
    let mut text = vec![0; length];
    let read = match coding {
        "gzip" => flate2::read::GzDecoder::new(packed).read_exact(&mut text),
        "br" => brotli::Decompressor::new(packed, 4096).read_exact(&mut text),
        _ => zstd::stream::read::Decoder::new(packed).unwrap().read_exact(&mut text),
    };
    read.unwrap();
    text
}

/// An app whose every answer is these bytes.
async fn answering(head: &str, body: &str) -> RawApp {
    let answer = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
    RawApp::start(Box::leak(answer.into_bytes().into_boxed_slice())).await
}

#[tokio::test]
async fn an_answer_is_packed_as_the_visitor_likes() {
    let proxy = TestProxy::start().await;
    let body = "{\"name\":\"value\"},".repeat(20_000);
    let app =
        answering("Content-Type: application/json\r\nETag: \"v1\"\r\nAccept-Ranges: bytes\r\n", &body).await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], compressing).await;
    let mut wire = proxy.connect().await;
    for coding in CODINGS {
        let answer = wire.ask(request("GET", coding)).await;
        assert_eq!(answer.header("content-encoding"), Some(coding));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        assert_eq!(answer.header("etag"), Some("W/\"v1\""));
        assert_eq!((answer.header("content-length"), answer.header("accept-ranges")), (None, None));
        assert!(answer.body.len() < body.len() / 20, "{coding}: {} bytes", answer.body.len());
        assert!(unpacked(coding, &answer.body, body.len()) == body.as_bytes());
    }
    let plain = wire.get("a.test", "/").await;
    assert_eq!((plain.header("content-encoding"), plain.header("etag")), (None, Some("\"v1\"")));
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    assert_eq!(plain.text(), body);
}

#[tokio::test]
async fn an_answer_to_head_has_the_header_of_one_to_get() {
    let proxy = TestProxy::start().await;
    let app = answering("Content-Type: text/css\r\n", &"a{}\n".repeat(1_000)).await;
    let head =
        RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 4000\r\n\r\n").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], compressing).await;
    proxy.put_as("head", "b.test", &[("c2", head.address)], compressing).await;
    let fields = |head: &str| {
        let known = ["content-", "vary", "etag"];
        let mut fields: Vec<_> = head
            .lines()
            .filter(|line| known.iter().any(|name| line.starts_with(name)))
            .map(str::to_owned)
            .collect();
        fields.sort();
        fields
    };
    let get = proxy.connect().await.ask(request("GET", "gzip")).await;
    let mut wire = proxy.connect().await;
    wire.send(request("HEAD", "gzip").replace("a.test", "b.test")).await;
    let head = wire.head().await;
    assert_eq!(fields(&head), fields(&get.head));
    assert_eq!(fields(&head), ["content-encoding: gzip", "content-type: text/css", "vary: Accept-Encoding"]);
    assert_eq!(wire.get("nowhere.test", "/").await.status, 404, "no body came");
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_done() {
    let proxy = TestProxy::start().await;
    let text = "text ".repeat(1_000);
    let app = answering("Content-Type: text/plain\r\n", &text).await;
    let image = answering("Content-Type: image/png\r\n", &text).await;
    let packed = answering("Content-Type: text/plain\r\nContent-Encoding: x\r\n", &text).await;
    proxy.put("off", "a.test", &[("c1", app.address)]).await;
    proxy.put_as("image", "b.test", &[("c2", image.address)], compressing).await;
    proxy.put_as("packed", "c.test", &[("c3", packed.address)], compressing).await;
    let mut wire = proxy.connect().await;
    for host in ["a.test", "b.test", "c.test"] {
        let answer: Answer = wire.ask(request("GET", "gzip, br, zstd").replace("a.test", host)).await;
        assert_eq!((answer.text(), answer.header("vary")), (text.clone(), None), "{host}");
    }
    assert!(app.seen()[0].contains("accept-encoding: gzip, br, zstd\r\n"), "the app may do it itself");
}

/// An app that streams what it is given to one visitor.
async fn streaming(kind: &'static str) -> (std::net::SocketAddr, mpsc::Sender<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut pieces) = mpsc::channel::<String>(1);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        while let Some(piece) = pieces.recv().await {
            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
            stream.write_all(chunk.as_bytes()).await.unwrap();
        }
        stream.write_all(b"0\r\n\r\n").await.unwrap();
    });
    (address, sender)
}

#[tokio::test]
async fn nothing_of_a_stream_is_held_back() {
    let proxy = TestProxy::start().await;
    for coding in CODINGS {
        let (address, sender) = streaming("application/x-ndjson").await;
        proxy.put_as("blog", "a.test", &[(coding, address)], compressing).await;
        let mut wire = proxy.connect().await;
        wire.send(request("GET", coding)).await;
        let (mut packed, mut text) = (Vec::new(), String::new());
        for n in 0..5 {
            let piece = format!("{{\"n\":{n}}}\n");
            text.push_str(&piece);
            // The next piece is sent only after this one arrived, so nothing can wait for more.
            sender.send(piece).await.unwrap();
            if n == 0 {
                assert!(wire.head().await.contains(&format!("content-encoding: {coding}\r\n")));
            }
            // The beginning of the coding may be a chunk of its own.
            loop {
                packed.extend(wire.chunk().await);
                let mut found = vec![0; text.len()];
                let read = match coding {
                    "gzip" => flate2::read::GzDecoder::new(&packed[..]).read_exact(&mut found),
                    "br" => brotli::Decompressor::new(&packed[..], 4096).read_exact(&mut found),
                    _ => zstd::stream::read::Decoder::new(&packed[..]).unwrap().read_exact(&mut found),
                };
                if read.is_ok() {
                    assert_eq!(String::from_utf8_lossy(&found), text);
                    break;
                }
            }
        }
        drop(sender);
        loop {
            let chunk = wire.chunk().await;
            if chunk.is_empty() {
                break;
            }
            packed.extend(chunk);
        }
        assert!(unpacked(coding, &packed, text.len()) == text.as_bytes());
    }
}

#[tokio::test]
async fn events_come_as_they_are() {
    let proxy = TestProxy::start().await;
    let (address, sender) = streaming("text/event-stream").await;
    proxy.put_as("blog", "a.test", &[("c1", address)], compressing).await;
    let mut wire = proxy.connect().await;
    wire.send(request("GET", "gzip, br, zstd")).await;
    for n in 0..3 {
        let event = format!("data: {n}\n\n");
        sender.send(event.clone()).await.unwrap();
        if n == 0 {
            assert!(!wire.head().await.contains("content-encoding"));
        }
        assert_eq!(String::from_utf8_lossy(&wire.chunk().await), event);
    }
}
