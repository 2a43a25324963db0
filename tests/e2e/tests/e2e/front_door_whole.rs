//! Everything that a front door is expected to do, once said by `paas.toml` and once by commands, and seen from outside.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use paas_e2e::{Client, Http, Response, ServerOptions, eventually, free_port};

use crate::support::Blog;

const PAGE_413: &str = "<p>Too much for us</p>";
const PAGE_504: &str = "<p>Too slow for us</p>";
const PAGE_MAINTENANCE: &str = "<p>Back at noon</p>";
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

/// Of hostnames that the app has, and of one that it has not.
const HOSTS: &str = r#"[[redirects]]
host = "www.example.org"
to = "example.org"
[[redirects]]
host = "bank.test"
to = "example.org"
[[routes]]
path = "/api"
strip = true
[[routes]]
host = "bank.test"
path = "/login"
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

fn assert_combined(blog: &Blog) {
    assert_eq!(send(blog.http(), "GET", "/?mark=combined", &[WELCOME], b"").status, 200);
    eventually("a combined line", LOGGED, || {
        let log = access_log(&blog.admin);
        let wanted = r#""GET /?mark=combined HTTP/1.1" 200 "#;
        if log.contains(wanted) { Ok(()) } else { Err(log) }
    });
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
    blog.repo.write("paas.toml", &MANIFEST.replace("\"json\"", "\"combined\""));
    blog.repo.push_version("3").ok();
    blog.admin.ssh(&["apps:info", "blog"]).ok().says("access_log = combined (paas.toml)");
    assert_combined(&blog);
    blog.server.assert_clean();
}

#[test]
fn paas_toml_says_what_is_done_at_the_apps_hostnames() {
    let blog = Blog::deployed();
    let (http, admin) = (blog.http(), &blog.admin);
    for name in ["example.org", "www.example.org"] {
        admin.ssh(&["domains:add", "blog", name]).ok();
    }
    // The hash is made on any machine, and of what it is made nobody is told.
    let hash = blog.server.paas_with_input(&["auth:hash"], b"correct horse\n").ok().stdout;
    assert!(hash.starts_with("pbkdf2-sha256$") && hash.lines().count() == 1, "{hash}");
    admin.ssh_with_input(&["auth:hash"], b"short\n").fails_with(1).says("8 to 128").never_says("short");
    blog.repo.write("paas.toml", &format!("{HOSTS}[auth]\nann = \"{}\"\n", hash.trim()));
    blog.repo
        .push_version("2")
        .ok()
        .says("the redirect from bank.test to example.org in paas.toml is not in force")
        .says("`paas domains:add blog bank.test`")
        .says("`paas routes:add blog bank.test/login`")
        .never_says(hash.trim());

    let led = http.get("www.example.org", "/a/b?c=d");
    let location = led.header("location").expect("a place to go");
    assert_eq!(led.status, 308);
    assert!(location.contains("://example.org") && location.ends_with("/a/b?c=d"), "{location}");
    assert_eq!((http.get("bank.test", "/").status, http.get("bank.test", "/login").status), (404, 404));
    // ann:correct horse
    let ann = ("Authorization", "Basic YW5uOmNvcnJlY3QgaG9yc2U=");
    let get = |host: &str, path: &str, fields: &[(&str, &str)]| {
        let mut connection = http.connect().expect("a connection");
        let fields: Vec<_> = fields.iter().copied().chain([("Connection", "close")]).collect();
        connection.send("GET", &http.host(host), path, &fields, b"").expect("an answer")
    };
    assert_eq!(get("example.org", "/api", &[]).status, 401);
    for (host, path) in [("example.org", "/api"), ("blog", "/api/"), ("example.org", "/")] {
        let answer = get(host, path, &[ann]);
        assert_eq!((answer.status, answer.text().as_str()), (200, "version 2\n"), "{host}{path}");
    }
    admin
        .ssh(&["apps:info", "blog"])
        .ok()
        .says("www.example.org to example.org, 308 (paas.toml)")
        .says("example.org/api without the path (paas.toml)")
        .says("ann (paas.toml)")
        .never_says("bank.test")
        .never_says("pbkdf2");
    assert_eq!(admin.ssh(&["redirects", "blog", "--json"]).ok().json()[0]["source"], "paas.toml");
    assert_eq!(admin.ssh(&["auth", "blog", "--json"]).ok().json()[0]["source"], "paas.toml");

    // Users by command stand in place of the file's.
    admin.ssh_with_input(&["auth:add", "blog", "ben"], b"battery staple\n").ok().says("in paas.toml may not");
    assert_eq!(get("example.org", "/", &[ann]).status, 401);
    admin.ssh(&["auth:remove", "blog", "ben"]).ok().says("those in paas.toml may visit");
    assert_eq!(get("example.org", "/", &[ann]).status, 200);

    // A password in the file is refused and repeated nowhere.
    blog.repo.write("paas.toml", "[auth]\nann = \"tr0ub4dor and 3\"\n");
    blog.repo.commit_and_push("A password").fails().says("`paas auth:hash`").never_says("tr0ub4dor");
    for log in [blog.server.control_log(), blog.server.proxy_log()] {
        assert!(!log.contains("tr0ub4dor") && !log.contains("pbkdf2"), "{log}");
    }
    blog.server.assert_clean();
}

#[test]
fn paas_toml_says_maintenance_and_a_canary() {
    let blog = Blog::deployed();
    let (http, admin) = (blog.http(), &blog.admin);
    blog.repo.write("public/maintenance.html", PAGE_MAINTENANCE);
    let pages = "[pages]\nmaintenance = \"public/maintenance.html\"\n";
    blog.repo.write("paas.toml", &format!("[http]\nmaintenance = true\n{pages}"));
    blog.repo.push_version("2").ok();
    let answer = send(http, "GET", "/", &[("Accept", "text/html")], b"");
    assert_eq!((answer.status, answer.text().as_str()), (503, PAGE_MAINTENANCE));
    assert_eq!(admin.ssh(&["maintenance", "blog"]).ok().stdout, "on (paas.toml)\n");
    admin.ssh(&["maintenance:off", "blog"]).ok();
    http.serves("blog", "2");
    admin.ssh(&["apps:info", "blog"]).ok().says("maintenance = off (set by command)");
    admin.ssh(&["http:set", "blog", "--maintenance", ""]).ok();
    assert_eq!(http.get("blog", "/").status, 503);

    blog.repo.write("paas.toml", "[deploy]\ncanary = 100\n");
    blog.repo.push_version("3").ok().says("v3 is the candidate: 100 % of the visitors get it, the others v2");
    // The release that serves still says that there is maintenance.
    assert_eq!(http.get("blog", "/").status, 503);
    admin.ssh(&["releases:promote", "blog"]).ok().says("Deployed v3");
    http.serves("blog", "3");
    admin.ssh(&["apps:info", "blog"]).ok().says("canary_share = 100 (paas.toml)");
    blog.repo.push_version("4").ok().says("v4 is the candidate");
    http.serves("blog", "4");
    admin.ssh(&["releases:abort", "blog"]).ok();
    http.serves("blog", "3");
    // A command wins, and leaves it to the file again.
    admin.ssh(&["releases:canary", "blog", "off"]).ok();
    blog.repo.push_version("5").ok().says("Deployed v5").never_says("candidate");
    admin.ssh(&["releases:canary", "blog", ""]).ok().says("as paas.toml says");
    blog.repo.push_version("6").ok().says("v6 is the candidate");
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
    assert_combined(&blog);
    blog.server.assert_clean();
}

#[test]
fn the_servers_file_says_where_metrics_are_answered() {
    let port = free_port();
    let blog = Blog::deployed_with(ServerOptions { metrics_port: Some(port), ..ServerOptions::default() });
    let http = blog.http();
    let scrape = || {
        let answer = Http::on_port(port).get("metrics.test", "/metrics");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text()
    };
    for _ in 0..7 {
        http.serves("blog", "1");
    }
    assert_eq!(http.get("blog", "/nothing").status, 404);
    // With the one that saw that it was deployed.
    for (code, count) in [("2xx", 8), ("4xx", 1)] {
        let line = format!("paas_requests_total{{app=\"blog\",code=\"{code}\"}} {count}");
        eventually("each request is counted once", LOGGED, || {
            let metrics = scrape();
            if metrics.lines().any(|counted| counted == line) { Ok(()) } else { Err(metrics) }
        });
    }
    blog.server.assert_clean();
}
