use crate::support::{Answer, App, Deaf, RawApp, TestProxy, until};

const SECRETS: [&str; 4] = ["blog", "c1", "127.0.0.1", "paas"];

fn leaks_nothing(answer: &Answer) {
    // Random, so that it holds anything now and then.
    let id = answer.header("x-request-id").unwrap();
    let all = format!("{}{}", answer.head, answer.text()).to_lowercase().replace(id, "");
    for secret in SECRETS {
        assert!(!all.contains(secret), "{secret:?} in {all}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn an_unknown_host_learns_nothing() {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[]).await;
    let answer = proxy.connect().await.get("unknown.test", "/").await;
    assert_eq!(answer.status, 404);
    leaks_nothing(&answer);
}

#[tokio::test]
async fn every_failure_has_its_page() {
    let proxy = TestProxy::start().await;
    let deaf = Deaf::new();
    let garbage = RawApp::start(b"garbage\r\n\r\n").await;
    let cut =
        RawApp::start(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n").await;
    let silent = App::start("silent").await;
    for (host, path, status, target) in [
        ("none.test", "/", 503, None),
        ("refused.test", "/", 502, Some(deaf.address)),
        ("garbage.test", "/", 502, Some(garbage.address)),
        ("unasked.test", "/", 502, Some(cut.address)),
        ("silent.test", "/gate", 504, Some(silent.address)),
    ] {
        let name = format!("blog-{host}");
        let id = format!("c1-{host}");
        let targets: Vec<_> = target.iter().map(|&address| (id.as_str(), address)).collect();
        // Only who is to take too long has little time.
        let timeout = (status == 504).then_some(100);
        proxy.put_as(&name, host, &targets, |spec| spec.policy.response_timeout_ms = timeout).await;
        let mut wire = proxy.connect().await;
        let plain = wire.get(host, path).await;
        assert_eq!(plain.status, status, "{host}");
        assert_eq!(plain.header("content-type"), Some("text/plain; charset=utf-8"));
        leaks_nothing(&plain);
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html,*/*\r\n\r\n");
        let html = wire.ask(request).await;
        assert_eq!((html.status, html.header("content-type")), (status, Some("text/html; charset=utf-8")));
        leaks_nothing(&html);
        assert_eq!(html.header("retry-after").is_some(), status == 503);
    }
    until("nothing in flight", async || proxy.in_flight("c1-silent.test").await == Some(0)).await;
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_is_passed_over() {
    let proxy = TestProxy::start().await;
    let deaf = Deaf::new();
    let app = App::start("alive").await;
    proxy.put("blog", "a.test", &[("dead", deaf.address), ("alive", app.address)]).await;
    let mut wire = proxy.connect().await;
    for _ in 0..20 {
        let request = "POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody";
        let answer = wire.ask(request).await;
        assert_eq!((answer.status, answer.text()), (200, "body".to_owned()));
    }
    assert_eq!(app.requests(), 20);
}

#[tokio::test]
async fn a_refused_upload_gets_its_answer() {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[]).await;
    let body = "x".repeat(200 * 1024);
    let mut wire = proxy.connect().await;
    for _ in 0..3 {
        let request =
            format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert_eq!(wire.ask(request).await.status, 503, "and the connection goes on");
    }
}
