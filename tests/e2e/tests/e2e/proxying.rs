//! What the proxy does to a request.

use std::io::{BufRead, BufReader, Read, Write};

use paas_e2e::WebSocket;

use crate::support::Blog;

#[test]
fn a_websocket_goes_through_both_ways() {
    let blog = Blog::deployed();
    let mut socket = WebSocket::open(blog.http(), "blog");
    socket.echoes("hello");
    socket.echoes(&"x".repeat(60_000));
    socket.echoes("žluťoučký 🐎");
}

#[test]
fn a_websocket_of_one_app_outlives_deploys_of_another() {
    let blog = Blog::deployed();
    let shop = blog.admin.app_repo("shop");
    let mut socket = WebSocket::open(blog.http(), "blog");
    for version in ["1", "2", "3"] {
        shop.push_version(version).ok();
        socket.echoes(version);
    }
}

#[test]
fn events_are_flushed_one_by_one() {
    let blog = Blog::deployed();
    let http = blog.http();
    let events = |query: &str| {
        let mut stream = http.connect().unwrap().into_stream();
        let host = http.host("blog");
        write!(stream, "GET /sse?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        BufReader::new(stream)
    };
    // Nobody waits for the second event: whatever holds the first back until then holds it back for ever.
    let mut reader = events("count=2&ms=3600000");
    let mut line = String::new();
    while !line.contains("data: 0") {
        line.clear();
        let read = reader.read_line(&mut line).expect("the first event comes long before the second");
        assert!(read > 0, "the stream ends before the first event");
    }
    let mut all = String::new();
    events("count=4&ms=1").read_to_string(&mut all).unwrap();
    assert!((0..4).all(|number| all.contains(&format!("data: {number}"))), "{all}");
}

#[test]
fn large_bodies_stream_both_ways() {
    let blog = Blog::deployed();
    assert_eq!(blog.http().get("blog", "/bytes?n=50000000").body.len(), 50_000_000);
    let body: Vec<u8> = (0..10_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    assert!(blog.http().post("blog", "/echo", &body).body == body);
}

#[test]
fn forwarded_headers_are_ours_and_a_clients_are_dropped() {
    let blog = Blog::deployed();
    let http = blog.http();
    let spoofed = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example.org"),
        ("X-Real-IP", "6.6.6.6"),
        ("Forwarded", "for=6.6.6.6"),
        ("X-Own", "kept"),
        ("Connection", "close, X-Hop"),
        ("X-Hop", "dropped"),
    ];
    let answer =
        http.connect().unwrap().send("GET", &http.host("blog"), "/headers", &spoofed, b"").unwrap().json();
    let headers: Vec<(String, String)> = serde_json::from_value(answer).unwrap();
    let all = |name: &str| {
        headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(all("x-forwarded-proto"), ["http"]);
    assert_eq!(all("x-own"), ["kept"]);
    assert_eq!(all("host"), [http.host("blog")]);
    assert!(all("x-hop").is_empty());
    assert!(!format!("{headers:?}").contains("6.6.6.6"), "{headers:?}");
    assert!(!format!("{headers:?}").contains("evil.example.org"), "{headers:?}");
}

#[test]
fn path_and_query_arrive_unchanged() {
    let blog = Blog::deployed();
    for target in ["/target/a//b/../c%2f%2E?x=%20y;z&&=", "/target?", "/target/%00%ff", "/target/.?/../?&%"] {
        let answer = blog.http().get("blog", target);
        assert_eq!((answer.status, answer.text()), (200, target.to_owned()));
    }
}
