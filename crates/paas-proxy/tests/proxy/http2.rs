use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body, Frame},
    client::conn::http2,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{App, RawApp, TestProxy, frames, until};

async fn connect<B>(proxy: &TestProxy) -> http2::SendRequest<B>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
{
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn with_prior_knowledge_it_is_served() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut sender = connect(&proxy).await;
    let body = Bytes::from(vec![7; 300_000]);
    let mut answers = Vec::new();
    for _ in 0..20 {
        let request = Request::post("http://A.test/echo").body(Full::new(body.clone())).unwrap();
        answers.push(tokio::spawn(sender.send_request(request)));
    }
    for answer in answers {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), body);
    }
    until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
    let request = Request::get("http://unknown.test/").body(Full::default()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 404);
}

#[tokio::test]
async fn the_app_sees_http_1_1() {
    let proxy = TestProxy::start().await;
    let app =
        RawApp::start(b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let request = Request::get("http://a.test/x?y=%2F")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("x-forwarded-for", "6.6.6.6")
        .body(Full::default())
        .unwrap();
    let answer = connect(&proxy).await.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let seen = app.seen().join("");
    assert!(seen.starts_with("GET /x?y=%2F HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("host: a.test\r\n") && seen.contains("cookie: a=1; b=2\r\n"), "{seen}");
    assert!(!seen.contains("6.6.6.6"), "{seen}");
}

#[tokio::test]
async fn an_app_is_not_asked_before_a_short_body_is_whole_and_at_once_for_one_of_unknown_length() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut sender = connect(&proxy).await;
    let piece = |bytes: &'static [u8]| Frame::data(Bytes::from_static(bytes));
    for length in [Some("4"), None] {
        let (body, frames) = frames();
        let before = app.requests();
        let mut request = Request::post("http://a.test/echo");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        let answer = tokio::spawn(sender.send_request(request.body(frames).unwrap()));
        body.send(piece(b"ab")).await.unwrap();
        until("its count", async || proxy.in_flight("c1").await == Some(1)).await;
        if length.is_none() {
            until("the request", async || app.requests() > before).await;
        }
        assert_eq!(app.requests() > before, length.is_none());
        body.send(piece(b"cd")).await.unwrap();
        drop(body);
        let answer = answer.await.unwrap().unwrap().into_body().collect().await.unwrap();
        assert_eq!(answer.to_bytes(), "abcd");
        until("the end of the count", async || proxy.in_flight("c1").await == Some(0)).await;
    }
}

#[tokio::test]
async fn a_cookie_in_many_fields_is_no_large_header() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let request =
        (0..300).fold(Request::get("http://a.test/"), |it, n| it.header("cookie", format!("c{n}=1")));
    let answer = connect(&proxy).await.send_request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let cookie: Vec<_> = (0..300).map(|n| format!("c{n}=1")).collect();
    let seen = app.seen().join("");
    assert!(seen.contains(&format!("cookie: {}\r\n", cookie.join("; "))), "{seen}");
}
