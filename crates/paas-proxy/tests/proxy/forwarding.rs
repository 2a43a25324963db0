use crate::support::{App, RawApp, TestProxy};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Sends a request to an app that records it; gives the lines the app saw, sorted below the first.
async fn seen_by_app(request: &str) -> (String, Vec<String>) {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let answer = proxy.connect().await.ask(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = app.seen();
    assert_eq!(seen.len(), 1);
    let mut lines = seen[0].split("\r\n").map(str::to_owned);
    let first = lines.next().unwrap();
    let mut fields: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    fields.sort();
    (first, fields)
}

fn without(fields: &[String], names: &[&str]) -> Vec<String> {
    let keep = |line: &&String| !names.iter().any(|name| line.starts_with(&format!("{name}:")));
    fields.iter().filter(keep).cloned().collect()
}

#[tokio::test]
async fn what_a_client_claims_about_itself_is_replaced() {
    let (_, fields) = seen_by_app(
        "GET / HTTP/1.1\r\nHost: A.test:81\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\n\
         X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Real-IP: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n\
         X-Request-Id: evil\r\nConnection: x-forwarded-for\r\n\r\n",
    )
    .await;
    assert_eq!(
        without(&fields, &["x-request-id", "x-forwarded-port"]),
        [
            "forwarded: for=127.0.0.1;proto=http;host=\"A.test:81\"",
            "host: A.test:81",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: A.test:81",
            "x-forwarded-proto: http",
            "x-real-ip: 127.0.0.1",
        ]
    );
    let ids: Vec<_> = fields.iter().filter_map(|line| line.strip_prefix("x-request-id: ")).collect();
    assert!(ids.len() == 1 && ids[0].len() == 32, "{ids:?}");
}

#[tokio::test]
async fn what_belongs_to_one_hop_is_not_passed_on() {
    let (_, fields) = seen_by_app(
        "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, X-Private, host\r\nX-Private: 1\r\nKeep-Alive: 5\r\n\
         Proxy-Connection: x\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nProxy-Authorization: x\r\nProxy: x\r\n\
         X-Kept: 1\r\nAuthorization: y\r\n\r\n",
    )
    .await;
    let ours = [
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "x-real-ip",
        "x-request-id",
    ];
    assert_eq!(without(&fields, &ours), ["authorization: y", "host: a.test", "x-kept: 1"]);
}

#[tokio::test]
async fn path_and_query_are_passed_byte_for_byte() {
    for path in ["/a/../b//c/./%2e%2e/%2F;x=1?q=%00&&a=b;c?d", "/", "/?", "/a?b=http://c/", "/%E2%82%AC"] {
        let (first, _) = seen_by_app(&format!("GET {path} HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
        assert_eq!(first, format!("GET {path} HTTP/1.1"));
    }
    let (first, fields) = seen_by_app("GET http://A.test/x?y HTTP/1.1\r\nHost: other.test\r\n\r\n").await;
    assert_eq!(first, "GET /x?y HTTP/1.1");
    assert!(fields.contains(&"host: A.test".to_owned()), "the authority wins: {fields:?}");
    let (first, _) = seen_by_app("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    assert_eq!(first, "OPTIONS * HTTP/1.1");
}

#[tokio::test]
async fn an_answer_comes_as_the_app_sent_it() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(
        b"HTTP/1.1 299 Fine Indeed\r\nServer: app/1\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nSet-Cookie: a=1\r\n\
          Set-Cookie: b=2\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\n\
          Content-Length: 2\r\n\r\nok",
    )
    .await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let answer = proxy.connect().await.get("a.test", "/").await;
    let mut lines: Vec<_> = answer.head.trim_end().lines().collect();
    assert_eq!(lines.remove(0), "HTTP/1.1 299 Fine Indeed");
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "content-length: 2",
            "date: Tue, 01 Jan 2030 00:00:00 GMT",
            "server: app/1",
            "set-cookie: a=1",
            "set-cookie: b=2"
        ]
    );
    assert_eq!(answer.text(), "ok");
}

#[tokio::test]
async fn answers_without_a_body_keep_their_header() {
    let proxy = TestProxy::start().await;
    let head = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n").await;
    let chunked = RawApp::start(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    let unmodified = RawApp::start(b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n").await;
    proxy.put("head", "a.test", &[("c1", head.address)]).await;
    proxy.put("chunked", "b.test", &[("c2", chunked.address)]).await;
    proxy.put("unmodified", "c.test", &[("c3", unmodified.address)]).await;
    let mut wire = proxy.connect().await;
    for (request, line) in [
        ("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n", "content-length: 1234"),
        ("HEAD / HTTP/1.1\r\nHost: b.test\r\n\r\n", "HTTP/1.1 200 OK"),
        ("GET / HTTP/1.1\r\nHost: c.test\r\n\r\n", "etag: \"x\""),
    ] {
        // All on one connection: a wrong length would be read as part of the next answer.
        wire.send(request).await;
        let head = wire.head().await;
        assert!(head.lines().any(|found| found == line), "{head}");
        if request.contains("b.test") {
            assert!(!head.contains("content-length: 0"), "{head}");
        }
    }
}

#[tokio::test]
async fn http_1_0_clients_are_served() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").await;
    let answer = crate::support::parse_answer(&wire.rest().await);
    assert_eq!((answer.status, answer.text()), (200, "one".to_owned()));
    let mut wire = proxy.connect().await;
    app.emit(b"streamed").await;
    app.emit(b"").await;
    wire.send("GET /stream HTTP/1.0\r\nHost: a.test\r\n\r\n").await;
    let answer = crate::support::parse_answer(&wire.rest().await);
    assert_eq!(answer.text(), "streamed", "without chunks: {}", answer.head);
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!(crate::support::parse_answer(&wire.rest().await).status, 404);
}

#[tokio::test]
async fn requests_go_to_the_less_busy_target() {
    let proxy = TestProxy::start().await;
    let (one, two) = (App::start("one").await, App::start("two").await);
    proxy.put("blog", "a.test", &[("c1", one.address), ("c2", two.address)]).await;
    let mut held = proxy.connect().await;
    held.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    crate::support::until("the held request", async || one.requests() + two.requests() == 1).await;
    let idle = if one.requests() == 1 { "two" } else { "one" };
    let mut wire = proxy.connect().await;
    for _ in 0..20 {
        assert_eq!(wire.get("a.test", "/").await.text(), idle);
    }
    one.open_gate();
    two.open_gate();
    assert_eq!(held.answer().await.status, 200);
}
