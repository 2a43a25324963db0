use std::{fs, os::unix::fs::PermissionsExt};

use paas_proxy::{AccessLog, RequestPolicy, ServiceSpec, ServiceState};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::support::{App, TestProxy, service, until};

fn logged(name: &str, host: &str, log: AccessLog, app: &App) -> ServiceSpec {
    ServiceSpec {
        policy: RequestPolicy { access_log: log, ..RequestPolicy::default() },
        ..service(name, &[host], &[(&format!("{name}-c1"), app.address)])
    }
}

async fn start(log: AccessLog) -> (TestProxy, App) {
    let (proxy, app) = (TestProxy::start().await, App::start("one").await);
    proxy.client.put_service(&logged("blog", "a.test", log, &app)).await.unwrap();
    (proxy, app)
}

fn text(proxy: &TestProxy, service: &str) -> String {
    fs::read_to_string(proxy.directory.path().join(format!("access/{service}.log"))).unwrap_or_default()
}

/// Waits until that many lines are written, and gives them.
async fn lines(proxy: &TestProxy, count: usize) -> Vec<String> {
    until("the lines", async || text(proxy, "blog").lines().count() >= count).await;
    let lines: Vec<_> = text(proxy, "blog").lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), count, "{lines:?}");
    lines
}

async fn values(proxy: &TestProxy, count: usize) -> Vec<Value> {
    lines(proxy, count).await.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_request_is_one_line_that_says_what_was_asked_and_answered() {
    let (proxy, _app) = start(AccessLog::Json).await;
    let answer = proxy
        .connect()
        .await
        .ask("POST /echo?q=1&api_key=abc HTTP/1.1\r\nHost: A.test\r\nContent-Length: 5\r\nReferer: http://b.test/\r\nUser-Agent: t\r\n\r\nhello")
        .await;
    assert_eq!(answer.text(), "hello");
    let line = values(&proxy, 1).await.remove(0);
    for (name, expected) in [
        ("client", "127.0.0.1"),
        ("method", "POST"),
        ("scheme", "http"),
        ("host", "a.test"),
        ("path", "/echo?q=1&api_key=***"),
        ("protocol", "HTTP/1.1"),
        ("target", "blog-c1"),
        ("referer", "http://b.test/"),
        ("user_agent", "t"),
    ] {
        assert_eq!(line[name], expected, "{name} in {line}");
    }
    assert_eq!((&line["status"], &line["bytes_in"], &line["bytes_out"]), (&200.into(), &5.into(), &5.into()));
    assert_eq!(line["complete"], true);
    let (app, all) = (line["app_ms"].as_f64().unwrap(), line["duration_ms"].as_f64().unwrap());
    assert!(0.0 < app && app <= all, "{line}");
    assert_eq!(line["request_id"].as_str().unwrap().len(), 32);
    let path = proxy.directory.path().join("access/blog.log");
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o640);
}

#[tokio::test]
async fn the_page_of_a_failure_and_its_line_bear_the_same_id() {
    let (proxy, app) = start(AccessLog::Json).await;
    let spec = logged("blog", "a.test", AccessLog::Json, &app);
    proxy.client.put_service(&ServiceSpec { state: ServiceState::Stopped, ..spec }).await.unwrap();
    let answer = proxy.connect().await.get("a.test", "/").await;
    let line = values(&proxy, 1).await.remove(0);
    assert_eq!((answer.status, &line["status"], &line["target"]), (503, &503.into(), &Value::Null));
    let id = line["request_id"].as_str().unwrap();
    assert!(answer.text().contains(&format!("Request {id}\n")), "{}", answer.text());
    assert_eq!(answer.header("x-request-id"), Some(id));
}

#[tokio::test]
async fn a_combined_line_is_one_that_apaches_tools_read() {
    let (proxy, _app) = start(AccessLog::Combined).await;
    let request = "GET /?a=x HTTP/1.1\r\nHost: a.test\r\nUser-Agent: \"\\\t\r\n\r\n";
    assert_eq!(proxy.connect().await.ask(request).await.status, 200);
    let line = lines(&proxy, 1).await.remove(0);
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    // The field's value ends before the tab, as the parser of HTTP has it.
    assert!(line.ends_with("] \"GET /?a=x HTTP/1.1\" 200 3 \"-\" \"\\\"\\\\\""), "{line}");
}

#[tokio::test]
async fn nothing_is_written_for_those_who_want_nothing() {
    let (proxy, app) = start(AccessLog::Json).await;
    proxy.client.put_service(&logged("shop", "b.test", AccessLog::Off, &app)).await.unwrap();
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("b.test", "/").await.status, 200);
    assert_eq!(wire.get("unknown.test", "/").await.status, 404);
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    lines(&proxy, 1).await;
    let files: Vec<_> = fs::read_dir(proxy.directory.path().join("access"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(files.iter().filter(|name| !name.starts_with('.')).collect::<Vec<_>>(), ["blog.log"]);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_written_when_it_does() {
    let (proxy, app) = start(AccessLog::Json).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    wire.head().await;
    app.emit(b"piece").await;
    assert_eq!(wire.chunk().await, b"piece");
    assert_eq!(text(&proxy, "blog"), "", "it has not ended");
    drop(wire);
    let line = values(&proxy, 1).await.remove(0);
    assert_eq!(
        (&line["status"], &line["complete"], &line["bytes_out"]),
        (&200.into(), &false.into(), &5.into())
    );
}

#[tokio::test]
async fn a_client_that_goes_before_the_answer_is_written_down_too() {
    let (proxy, _app) = start(AccessLog::Json).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the request", async || proxy.in_flight("blog-c1").await == Some(1)).await;
    drop(wire);
    let line = values(&proxy, 1).await.remove(0);
    assert_eq!(
        (&line["status"], &line["complete"], &line["app_ms"]),
        (&499.into(), &false.into(), &Value::Null)
    );
}

#[tokio::test]
async fn a_websocket_is_one_line_at_its_end() {
    let (proxy, _app) = start(AccessLog::Json).await;
    let mut wire = proxy.connect().await;
    wire.send(
        "GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )
    .await;
    wire.head().await;
    wire.send("hello").await;
    assert_eq!(wire.exactly(5).await, b"hello");
    assert_eq!(text(&proxy, "blog"), "", "it has not ended");
    wire.0.shutdown().await.unwrap();
    assert_eq!(wire.rest().await, b"");
    let line = values(&proxy, 1).await.remove(0);
    assert_eq!((&line["status"], &line["bytes_in"], &line["bytes_out"]), (&101.into(), &5.into(), &5.into()));
}

#[tokio::test]
async fn the_log_of_a_deleted_service_goes_and_does_not_come_back() {
    let (proxy, app) = start(AccessLog::Json).await;
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    lines(&proxy, 1).await;
    wire.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the request", async || proxy.in_flight("blog-c1").await == Some(1)).await;
    proxy.client.delete_service("blog").await.unwrap();
    app.open_gate();
    assert_eq!(wire.answer().await.status, 200);
    // What another service writes comes after what was told before.
    proxy.client.put_service(&logged("shop", "b.test", AccessLog::Json, &app)).await.unwrap();
    assert_eq!(wire.get("b.test", "/").await.status, 200);
    until("a line", async || !text(&proxy, "shop").is_empty()).await;
    assert!(!proxy.directory.path().join("access/blog.log").exists());
}

#[tokio::test]
async fn the_last_lines_are_written_before_the_end_and_leftovers_go_at_the_start() {
    let (proxy, app) = start(AccessLog::Json).await;
    let mut wire = proxy.connect().await;
    for _ in 0..20 {
        assert_eq!(wire.get("a.test", "/").await.status, 200);
    }
    drop(wire);
    let directory = proxy.stop().await;
    let access = directory.path().join("access");
    let log = fs::read_to_string(access.join("blog.log")).unwrap();
    assert_eq!(log.lines().count(), 20);
    fs::write(access.join("gone.log.2"), "old\n").unwrap();
    let proxy = TestProxy::start_in(directory, crate::support::limits()).await.unwrap();
    until("the leftovers' end", async || !access.join("gone.log.2").exists()).await;
    assert_eq!(proxy.connect().await.get("a.test", "/").await.status, 200);
    until("one line more", async || text(&proxy, "blog").lines().count() == 21).await;
    drop(app);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_costs_lines_and_no_request() {
    let (proxy, _app) = start(AccessLog::Json).await;
    fs::create_dir_all(proxy.directory.path().join("access/blog.log")).unwrap();
    let mut wire = proxy.connect().await;
    for _ in 0..3 {
        assert_eq!(wire.get("a.test", "/").await.status, 200);
    }
    until("the count", async || proxy.client.metrics().await.unwrap().access_log_dropped == 3).await;
    fs::remove_dir(proxy.directory.path().join("access/blog.log")).unwrap();
    assert_eq!(wire.get("a.test", "/").await.status, 200);
    lines(&proxy, 1).await;
}
