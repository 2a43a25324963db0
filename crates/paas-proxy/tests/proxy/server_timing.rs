use std::time::Duration;

use crate::support::{App, RawApp, TestProxy, until};

/// The milliseconds that a header tells of one part.
fn millis(head: &str, part: &str) -> f64 {
    let begin = head.find(&format!("{part};dur=")).unwrap_or_else(|| panic!("no {part}: {head}"));
    let text = head[begin..].split('=').nth(1).unwrap();
    text.split([',', '\r']).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn the_time_of_the_app_is_told_apart_from_ours() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], |spec| spec.policy.server_timing = true).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the request", async || app.requests() == 1).await;
    // The app's slowness is what is measured.
    tokio::time::sleep(Duration::from_millis(60)).await;
    app.open_gate();
    let answer = wire.answer().await;
    let (ours, apps) = (millis(&answer.head, "paas"), millis(&answer.head, "app"));
    assert!(apps >= 60.0 && ours < apps, "{}", answer.head);
}

#[tokio::test]
async fn what_the_app_tells_stays_and_nothing_is_told_unasked() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nServer-Timing: db;dur=5\r\nContent-Length: 0\r\n\r\n").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    let plain = wire.get("a.test", "/").await.head;
    assert!(plain.contains("server-timing: db;dur=5\r\n") && !plain.contains("paas;"), "{plain}");
    proxy.put_as("blog", "a.test", &[("c1", app.address)], |spec| spec.policy.server_timing = true).await;
    let told = wire.get("a.test", "/").await.head;
    assert!(told.contains("server-timing: db;dur=5\r\nserver-timing: paas;dur="), "{told}");
}
