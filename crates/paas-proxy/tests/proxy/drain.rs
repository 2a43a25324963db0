use std::time::Duration;

use paas_proxy::{ProxyClientError, RefusalKind, TargetState};

use crate::support::{App, TestProxy, time_of, undisturbed, until};

const LONG: Duration = Duration::from_secs(15);

#[tokio::test]
async fn the_wait_ends_with_the_last_request() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put("blog", "a.test", &[("old", old.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || old.requests() == 1).await;
    proxy.put("blog", "a.test", &[("new", new.address)]).await;

    let services = proxy.client.services().await.unwrap();
    let states: Vec<_> = services[0]
        .targets
        .iter()
        .map(|target| (target.id.as_str(), target.state, target.in_flight))
        .collect();
    assert_eq!(states, [("new", TargetState::Active, 0), ("old", TargetState::Draining, 1)]);
    assert_eq!(proxy.client.status().await.unwrap().draining, 1);

    let client = proxy.client.clone();
    let mut wait = tokio::spawn(async move { client.wait_drained("old", LONG).await.unwrap() });
    assert!(
        tokio::time::timeout(Duration::from_millis(100), &mut wait).await.is_err(),
        "one request is in flight"
    );
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "new", "others go on meanwhile");
    old.open_gate();
    assert_eq!(slow.answer().await.text(), "old");
    assert_eq!(wait.await.unwrap().in_flight_left, 0);
    assert_eq!(proxy.in_flight("old").await, None);
    assert_eq!(old.requests(), 1);
}

#[tokio::test]
async fn the_wait_is_over_at_once_without_requests() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.connect().await.get("a.test", "/").await;
    proxy.client.delete_service("blog").await.unwrap();
    for target in ["c1", "unknown"] {
        let waited = time_of(async {
            assert_eq!(proxy.client.wait_drained(target, LONG).await.unwrap().in_flight_left, 0);
        });
        let took = waited.await;
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[tokio::test]
async fn a_request_cut_at_the_deadline_gets_504() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut waiting = proxy.connect().await;
    waiting.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let mut streaming = proxy.connect().await;
    streaming.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    app.emit(b"first").await;
    streaming.head().await;
    assert_eq!(streaming.chunk().await, b"first");
    until("both requests", async || proxy.in_flight("c1").await == Some(2)).await;
    proxy.client.delete_service("blog").await.unwrap();
    assert_eq!(proxy.client.wait_drained("c1", Duration::from_millis(50)).await.unwrap().in_flight_left, 2);
    let answer = waiting.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (504, Some("close")));
    let rest = streaming.rest().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "cut, not ended: {rest:?}");
}

#[tokio::test]
async fn a_target_in_service_is_not_waited_for() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let error = proxy.client.wait_drained("c1", LONG).await.unwrap_err();
    assert!(
        matches!(&error, ProxyClientError::Refused(refusal) if matches!(refusal.kind, RefusalKind::TargetActive { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_draining_target_put_again_serves_again() {
    let proxy = TestProxy::start().await;
    let (one, two) = (App::start("one").await, App::start("two").await);
    proxy.put("blog", "a.test", &[("c1", one.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || one.requests() == 1).await;
    proxy.put("blog", "a.test", &[("c2", two.address)]).await;
    let client = proxy.client.clone();
    let wait = tokio::spawn(async move { client.wait_drained("c1", LONG).await });
    proxy.put("blog", "a.test", &[("c1", one.address)]).await;
    let refused = wait.await.unwrap().unwrap_err();
    assert!(matches!(refused, ProxyClientError::Refused(_)), "{refused:?}");
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "one");
    one.open_gate();
    assert_eq!(slow.answer().await.text(), "one");
    assert_eq!(proxy.in_flight("c1").await, Some(0));
}

#[tokio::test]
async fn a_dropped_wait_cuts_nothing() {
    let limit = Duration::from_millis(300);
    undisturbed(limit, async |watch| {
        let proxy = TestProxy::start().await;
        let app = App::start("one").await;
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        let mut slow = proxy.connect().await;
        slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
        until("the slow request", async || app.requests() == 1).await;
        proxy.client.delete_service("blog").await.unwrap();
        watch.start();
        let wait = proxy.client.wait_drained("c1", limit);
        assert!(tokio::time::timeout(limit / 6, wait).await.is_err());
        // Who is answered after that is answered by a proxy that knows of it.
        proxy.client.status().await.unwrap();
        watch.stop();
        tokio::time::sleep(limit).await;
        app.open_gate();
        assert_eq!(slow.answer().await.text(), "one");
    })
    .await;
}
