use std::net::SocketAddr;

use paas_proxy::ServiceSpec;

use crate::support::{Certified, Client, RawApp, TestProxy, service};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn spec(target: SocketAddr, trusted: &[&str], allow: &[&str]) -> ServiceSpec {
    let mut spec = service("blog", &["a.test"], &[("c1", target)]);
    spec.policy.trusted_proxies = trusted.iter().map(|range| range.parse().unwrap()).collect();
    spec.policy.allow = allow.iter().map(|range| range.parse().unwrap()).collect();
    spec
}

fn by_cdn(client: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 6.6.6.6, {client}\r\nX-Forwarded-Proto: https\r\n\
         X-Request-Id: cdn-1\r\nX-Forwarded-Ssl: on\r\n\r\n"
    )
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_added_to() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.client.put_service(&spec(app.address, &["127.0.0.0/8"], &[])).await.unwrap();
    assert_eq!(proxy.connect().await.ask(by_cdn("192.0.2.7")).await.status, 200);
    let seen = app.seen().pop().unwrap();
    let mut fields: Vec<_> = seen.split("\r\n").skip(1).filter(|line| !line.is_empty()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "forwarded: for=6.6.6.6, for=192.0.2.7;proto=https, for=127.0.0.1;proto=http;host=\"a.test\"",
            "host: a.test",
            "x-forwarded-for: 6.6.6.6, 192.0.2.7, 127.0.0.1",
            "x-forwarded-host: a.test",
            "x-forwarded-port: 443",
            "x-forwarded-proto: https",
            "x-real-ip: 192.0.2.7",
            "x-request-id: cdn-1",
        ]
    );
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    proxy.client.put_service(&spec(app.address, &["10.0.0.0/8"], &[])).await.unwrap();
    assert_eq!(proxy.connect().await.ask(by_cdn("192.0.2.7")).await.status, 200);
    let seen = app.seen().pop().unwrap();
    assert!(seen.contains("x-forwarded-for: 127.0.0.1\r\n"), "{seen}");
    assert!(!seen.contains("6.6.6.6") && !seen.contains("192.0.2.7") && !seen.contains("cdn-1"), "{seen}");
}

#[tokio::test]
async fn only_allowed_addresses_come_in() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    let mut wire = proxy.connect().await;
    for (trusted, allow, client, status) in [
        (&[][..], &["127.0.0.1/32"][..], "192.0.2.7", 200),
        (&[], &["192.0.2.0/24", "::/0"], "192.0.2.7", 403),
        (&["127.0.0.1/32"], &["192.0.2.0/24"], "192.0.2.7", 200),
        (&["127.0.0.1/32"], &["127.0.0.1/32"], "192.0.2.7", 403),
        // What stands before the first stranger may be made up by him.
        (&["127.0.0.1/32"], &["6.6.6.6/32"], "192.0.2.7", 403),
        (&["127.0.0.1/32", "192.0.2.0/24"], &["6.6.6.6/32"], "192.0.2.7", 200),
    ] {
        let spec = spec(app.address, trusted, allow);
        proxy.client.put_service(&spec).await.unwrap();
        let answer = wire.ask(by_cdn(client)).await;
        assert_eq!(answer.status, status, "trusted {trusted:?}, allowed {allow:?}");
        if status == 403 {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

/// A proxy that sets one family of fields passes the other on as its client wrote it.
#[tokio::test]
async fn nobody_comes_in_by_naming_himself_in_the_field_that_his_proxy_does_not_set() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    let spec = spec(app.address, &["127.0.0.1/32"], &["192.0.2.0/24", "127.0.0.1/32"]);
    proxy.client.put_service(&spec).await.unwrap();
    let mut wire = proxy.connect().await;
    for (fields, status) in [
        ("Forwarded: for=192.0.2.7\r\n", 200),
        ("X-Forwarded-For: 192.0.2.7\r\n", 200),
        ("X-Forwarded-For: 192.0.2.7\r\nForwarded: for=192.0.2.7\r\n", 200),
        ("X-Forwarded-For: 192.0.2.7\r\nForwarded: for=6.6.6.6\r\n", 403),
        ("X-Forwarded-For: 6.6.6.6\r\nForwarded: for=192.0.2.7\r\n", 403),
        ("X-Forwarded-Proto: https\r\nForwarded: for=6.6.6.6\r\n", 403),
        ("X-Forwarded-For: 192.0.2.7\r\nForwarded: \", for=6.6.6.6\r\n", 403),
        ("Forwarded: x=\", for=6.6.6.6\r\n", 403),
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n");
        assert_eq!(wire.ask(request).await.status, status, "{fields}");
    }
}

#[tokio::test]
async fn a_visitor_who_is_encrypted_up_to_a_trusted_proxy_is_told_of_hsts() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    let mut spec = spec(app.address, &["127.0.0.1/32"], &[]);
    spec.https.hsts_seconds = Some(60);
    proxy.client.put_service(&spec).await.unwrap();
    let mut wire = proxy.connect().await;
    let told = |answer: crate::support::Answer| answer.header("strict-transport-security").map(str::to_owned);
    assert_eq!(told(wire.ask(by_cdn("192.0.2.7")).await).as_deref(), Some("max-age=60"));
    assert_eq!(told(wire.get("a.test", "/").await), None);
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut encrypted = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
    assert_eq!(told(encrypted.get("a.test", "/").await).as_deref(), Some("max-age=60"));
}
