//! Everything that a front door is expected to do, once said by `paas.toml` and once by commands, and seen from outside.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use paas_e2e::{Client, Http, Response, eventually};

use crate::support::Blog;

const PAGE_413: &str = "<p>Too much for us</p>";
const PAGE_504: &str = "<p>Too slow for us</p>";
/// In the allow list of both tests, and a stranger to it. Whoever connects from here is a trusted proxy.
const WELCOME: (&str, &str) = ("X-Forwarded-For", "203.0.113.5");
const STRANGER: (&str, &str) = ("X-Forwarded-For", "198.51.100.1");
const LOGGED: Duration = Duration::from_secs(10);

const MANIFEST: &str = r#"[http]
max_body = "2k"
request_timeout = "1s"
response_timeout = "1s"
buffer_requests = true
compression = true
sticky = true
server_timing = true
hold_timeout = "20s"
hold_requests = 50
access_log = "json"
allow = ["203.0.113.0/24"]
trusted_proxies = ["127.0.0.1"]
[pages]
413 = "public/413.html"
504 = "public/504.html"
"#;

const SETTINGS: [&str; 18] = [
    "--max-body",
    "2k",
    "--request-timeout",
    "1s",
    "--response-timeout",
    "1s",
    "--buffer-requests",
    "on",
    "--compression",
    "on",
    "--sticky",
    "on",
    "--server-timing",
    "on",
    "--hold-timeout",
    "20s",
    "--hold-requests",
    "50",
];

fn send(http: Http, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Response {
    let mut connection = http.connect().expect("a connection");
    let fields: Vec<_> = fields.iter().copied().chain([("Connection", "close")]).collect();
    connection.send(method, &http.host("blog"), path, &fields, body).expect("an answer")
}

/// Sends bytes as they are and reads to the end of the connection.
fn raw(http: Http, port: u16, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let request = format!("{head}\r\nHost: {}\r\nConnection: close\r\n{body}", http.host("blog"));
    stream.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn port_of(http: Http) -> u16 {
    let host = http.host("blog");
    host.rsplit_once(':').expect("a port").1.parse().expect("a port")
}

/// What a visitor sees when all of it is set.
fn assert_all_is_done(blog: &Blog) {
    let http = blog.http();
    let port = port_of(http);

    // Whom a trusted proxy names is looked at, and only the list comes in.
    assert_eq!(send(http, "GET", "/", &[WELCOME], b"").status, 200);
    assert_eq!(send(http, "GET", "/", &[STRANGER], b"").status, 403);
    assert_eq!(http.get("blog", "/").status, 403, "the proxy itself is no visitor");

    // The body limit, before anything of the body is there.
    let head = "POST /echo HTTP/1.1\r\nX-Forwarded-For: 203.0.113.5\r\nAccept: text/html";
    let refused = raw(http, port, head, "Content-Length: 4096\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 413 ") && refused.ends_with(PAGE_413), "{refused}");

    // A body that stops coming, and an app that does not answer.
    let stalled = raw(http, port, head, "Content-Length: 10\r\n\r\nx");
    assert!(stalled.starts_with("HTTP/1.1 408 "), "{stalled}");
    let slow = send(http, "GET", "/slow?ms=5000", &[WELCOME, ("Accept", "text/html")], b"");
    assert_eq!((slow.status, slow.text().as_str()), (504, PAGE_504));

    // Buffered: what came in chunks reaches the app with its length.
    let head = "POST /headers HTTP/1.1\r\nX-Forwarded-For: 203.0.113.5\r\nTransfer-Encoding: chunked";
    let seen = raw(http, port, head, "\r\n4\r\nbody\r\n0\r\n\r\n").to_ascii_lowercase();
    assert!(seen.contains(r#"["content-length","4"]"#) && !seen.contains("chunked\"]"), "{seen}");

    // One answer with all that is added to it, and what the app is told.
    let fill = "f".repeat(1500);
    let fields = [WELCOME, ("Accept-Encoding", "gzip"), ("X-Fill", fill.as_str())];
    let answer = send(http, "GET", "/headers", &fields, b"");
    assert_eq!(answer.header("content-encoding"), Some("gzip"), "{answer:?}");
    assert!(answer.header("server-timing").is_some_and(|value| value.contains("app;dur=")), "{answer:?}");
    assert!(answer.header("set-cookie").is_some_and(|value| value.starts_with("paas_target=")), "{answer:?}");
    let told = send(http, "GET", "/headers?mark=told", &[WELCOME], b"").text().to_ascii_lowercase();
    let id =
        told.split_once(r#"["x-request-id",""#).and_then(|(_, rest)| rest.split_once('"')).expect("an id").0;
    assert!(told.contains(r#"["x-forwarded-for","203.0.113.5, 127.0.0.1"]"#), "{told}");
    eventually("the request is in the access log", LOGGED, || {
        let log = access_log(&blog.admin);
        let line = log.lines().find(|line| line.contains("mark=told")).ok_or_else(|| log.clone())?;
        let whole = line.contains(id) && line.contains("203.0.113.5");
        if whole && line.contains(r#""status":200"#) { Ok(()) } else { Err(line.to_owned()) }
    });
    let metrics = blog.admin.ssh(&["metrics"]).ok().stdout;
    for series in [
        r#"paas_requests_total{app="blog",code="4xx"}"#,
        r#"paas_request_duration_seconds_bucket{app="blog",le="0.005"}"#,
        r#"paas_requests_in_flight{app="blog"}"#,
        r#"paas_response_bytes_total{app="blog"}"#,
    ] {
        assert!(metrics.contains(series), "{series} in {metrics}");
    }
}

fn access_log(admin: &Client) -> String {
    admin.ssh(&["logs", "blog", "--access", "-n", "50"]).ok().stdout
}

fn assert_settings_are(admin: &Client, source: &str) {
    let mut info = admin.ssh(&["apps:info", "blog"]).ok();
    for setting in [
        "max_body = 2k",
        "request_timeout = 1s",
        "response_timeout = 1s",
        "buffer_requests = on",
        "compression = on",
        "sticky = on",
        "server_timing = on",
        "hold_timeout = 20s",
        "hold_requests = 50",
        "access_log = json",
        "allow = 203.0.113.0/24",
        "trusted_proxies = 127.0.0.1/32",
    ] {
        info = info.says(&format!("{setting} ({source})"));
    }
}

#[test]
fn paas_toml_says_all_of_it() {
    let blog = Blog::deployed();
    blog.repo.write("public/413.html", PAGE_413);
    blog.repo.write("public/504.html", PAGE_504);
    blog.repo.write("paas.toml", MANIFEST);
    blog.repo.push_version("2").ok();
    assert_settings_are(&blog.admin, "paas.toml");
    assert_all_is_done(&blog);
    blog.server.assert_clean();
}

#[test]
fn commands_say_all_of_it() {
    let blog = Blog::deployed();
    let admin = &blog.admin;
    let http_set: Vec<_> = ["http:set", "blog"].into_iter().chain(SETTINGS).collect();
    admin.ssh(&http_set).ok();
    admin.ssh(&["access-log:set", "blog", "--format", "json"]).ok();
    admin.ssh(&["allow:add", "blog", "203.0.113.0/24"]).ok();
    admin.ssh(&["proxies:add", "blog", "127.0.0.1"]).ok();
    admin.ssh_with_input(&["pages:set", "blog", "413", "-"], PAGE_413.as_bytes()).ok();
    admin.ssh_with_input(&["pages:set", "blog", "504", "-"], PAGE_504.as_bytes()).ok();
    assert_settings_are(admin, "set by command");
    assert_all_is_done(&blog);
    // The other format, from the next request on.
    admin.ssh(&["access-log:set", "blog", "--format", "combined"]).ok();
    assert_eq!(send(blog.http(), "GET", "/?mark=combined", &[WELCOME], b"").status, 200);
    eventually("a combined line", LOGGED, || {
        let log = access_log(admin);
        let wanted = r#""GET /?mark=combined HTTP/1.1" 200 "#;
        if log.contains(wanted) { Ok(()) } else { Err(log) }
    });
    blog.server.assert_clean();
}
