use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use paas_proxy::{HttpsPolicy, ServiceState};
use rcgen::date_time_ymd;

use crate::support::{
    App, Certified, Client, RawApp, TestProxy, http2 as connect, limits, service, whole, within,
};

async fn put(proxy: &TestProxy, certified: &Certified) {
    proxy.client.put_certificate(&certified.spec).await.unwrap();
}

async fn put_with(proxy: &TestProxy, app: std::net::SocketAddr, https: HttpsPolicy) {
    let mut spec = service("blog", &["a.test"], &[("c1", app)]);
    spec.https = https;
    proxy.client.put_service(&spec).await.unwrap();
}

#[tokio::test]
async fn http_leads_to_https_once_there_is_a_valid_certificate() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    let mut redirected = async |host: &str| wire.get(host, "/x").await.status == 308;
    assert!(!redirected("a.test").await, "without a certificate");
    let mut untrusted = Certified::new("a.test");
    untrusted.spec.trusted = false;
    put(&proxy, &untrusted).await;
    assert!(!redirected("a.test").await, "browsers would stop the visitor");
    put(&proxy, &Certified::made("a.test", |it| it.not_after = date_time_ymd(2001, 1, 1))).await;
    assert!(!redirected("a.test").await, "expired");
    put(&proxy, &Certified::made("a.test", |it| it.not_before = date_time_ymd(3000, 1, 1))).await;
    assert!(!redirected("a.test").await, "not valid yet");
    put(&proxy, &Certified::new("a.test")).await;
    assert!(redirected("a.test").await);
    put(&proxy, &Certified::new("no-app.test")).await;
    assert!(!redirected("no-app.test").await, "without a service there is nothing to lead to");
    proxy.client.delete_certificate("a.test").await.unwrap();
    assert!(!redirected("a.test").await);
    put(&proxy, &Certified::new("*.test")).await;
    assert!(redirected("a.test").await, "a wildcard's will do");
    put(&proxy, &untrusted).await;
    assert!(redirected("a.test").await, "the wildcard's is better than its own");
    let behind = "GET /x HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: https\r\n\r\n";
    assert_eq!(proxy.connect().await.ask(behind).await.status, 200, "the visitor came by HTTPS already");
    put_with(&proxy, app.address, HttpsPolicy { redirect: false, hsts_seconds: None }).await;
    assert!(!redirected("a.test").await, "the app does not want it");
    let mut encrypted = Client::new(&["http/1.1"]).wire(proxy.https, "no-app.test").await;
    assert_eq!(encrypted.get("no-app.test", "/").await.status, 404);
}

#[tokio::test]
async fn a_redirect_keeps_every_byte() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    put(&proxy, &Certified::new("a.test")).await;
    let mut wire = proxy.connect().await;
    for (target, expected) in [
        ("/", "https://a.test/"),
        ("/a//b/../c;d?e=%2F&f=%20%c3%a4?", "https://a.test/a//b/../c;d?e=%2F&f=%20%c3%a4?"),
        ("http://A.test:80/x?y", "https://a.test/x?y"),
    ] {
        let answer = wire.get("A.Test:8080", target).await;
        assert_eq!((answer.status, answer.header("location")), (308, Some(expected)));
        assert_eq!(answer.body, b"");
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    let post = "POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody";
    assert_eq!(wire.ask(post).await.status, 308);
    let websocket = "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(wire.ask(websocket).await.header("location"), Some("https://a.test/ws"));
    let options = "OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n";
    assert_eq!(wire.ask(options).await.status, 200, "`*` is no place to be sent to");
    assert_eq!(app.requests(), 1);
    let mut stopped = service("blog", &["a.test"], &[]);
    stopped.state = ServiceState::Stopped;
    proxy.client.put_service(&stopped).await.unwrap();
    assert_eq!(wire.get("a.test", "/").await.status, 308);
}

#[tokio::test]
async fn a_redirect_names_the_port_people_see_and_needs_a_listener() {
    for (public, expected) in [(8443, Some("https://a.test:8443/x")), (443, Some("https://a.test/x"))] {
        let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
            config.https_public_port = public;
        });
        let proxy = proxy.await.unwrap();
        proxy.put("blog", "a.test", &[]).await;
        put(&proxy, &Certified::new("a.test")).await;
        assert_eq!(proxy.connect().await.get("a.test", "/x").await.header("location"), expected);
    }
    let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| config.https.clear());
    let proxy = proxy.await.unwrap();
    proxy.put("blog", "a.test", &[]).await;
    put(&proxy, &Certified::new("a.test")).await;
    assert_eq!(proxy.ready.https, []);
    assert_eq!(proxy.connect().await.get("a.test", "/x").await.status, 503);
}

#[tokio::test]
async fn hsts_is_told_over_https_when_the_app_wants_it() {
    const NAME: &str = "strict-transport-security";
    let proxy = TestProxy::start().await;
    let app = RawApp::start(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nStrict-Transport-Security: max-age=1\r\nStrict-Transport-Security: max-age=2\r\n\r\nok",
    )
    .await;
    put(&proxy, &Certified::new("a.test")).await;
    let wanted = HttpsPolicy { redirect: false, hsts_seconds: Some(31_536_000) };
    put_with(&proxy, app.address, wanted).await;
    let client = Client::new(&["http/1.1"]);
    let mut wire = client.wire(proxy.https, "a.test").await;
    let answer = wire.get("a.test", "/").await;
    assert_eq!(answer.header(NAME), Some("max-age=31536000"));
    assert_eq!(answer.head.to_lowercase().matches(NAME).count(), 1, "{}", answer.head);
    let mut plain = proxy.connect().await;
    assert_eq!(plain.get("a.test", "/").await.header(NAME), Some("max-age=1"), "the app's own");
    let mut spec = service("blog", &["a.test", "127.0.0.1"], &[]);
    spec.https = wanted;
    proxy.client.put_service(&spec).await.unwrap();
    let answer = wire.get("a.test", "/").await;
    assert_eq!((answer.status, answer.header(NAME)), (503, Some("max-age=31536000")), "our own page");
    assert_eq!(plain.get("a.test", "/").await.header(NAME), None, "never over HTTP (RFC 6797, 7.2)");
    assert_eq!(wire.get("unknown.test", "/").await.header(NAME), None);
    let by_address = client.wire(proxy.https, "127.0.0.1").await.get("127.0.0.1", "/").await;
    assert_eq!((by_address.status, by_address.header(NAME)), (503, None));
    put_with(&proxy, app.address, HttpsPolicy::default()).await;
    assert_eq!(wire.get("a.test", "/").await.header(NAME), Some("max-age=1"), "the app's own");
}

#[tokio::test]
async fn the_app_is_told_how_the_visitor_came() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
    let spoofed = "GET / HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 1\r\n\r\n";
    assert_eq!(wire.ask(spoofed).await.status, 200);
    let seen = app.seen().join("");
    let port = format!("x-forwarded-port: {}\r\n", proxy.https.port());
    assert!(seen.contains("x-forwarded-proto: https\r\n") && seen.contains(&port), "{seen}");
    assert!(seen.contains("forwarded: for=127.0.0.1;proto=https;host=\"a.test\"\r\n"), "{seen}");
}

#[tokio::test]
async fn no_app_is_reached_under_the_name_of_another() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let hosts = ["a.test", "b.test", "x.c.test", "y.c.test", "127.0.0.1"];
    proxy.client.put_service(&service("blog", &hosts, &[("c1", app.address)])).await.unwrap();
    for host in ["a.test", "b.test", "*.c.test"] {
        put(&proxy, &Certified::new(host)).await;
    }
    for (name, host, status) in [
        ("a.test", "A.test.:443", 200),
        ("a.test", "b.test", 421),
        ("x.c.test", "y.c.test", 200),
        ("x.c.test", "a.test", 421),
        // No certificate yet, but the right name.
        ("unknown.test", "a.test", 421),
        ("a.test", "unknown.test", 404),
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", "a.test", 421),
    ] {
        let mut wire = Client::new(&["http/1.1"]).wire(proxy.https, name).await;
        assert_eq!(wire.get(host, "/").await.status, status, "{host} over a connection for {name}");
        let stream = Client::new(&["h2"]).connect(proxy.https, name).await;
        let (mut sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get(format!("https://{host}/")).body(Full::<Bytes>::default()).unwrap();
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), status, "{host} over a connection for {name}");
        answer.into_body().collect().await.unwrap();
    }
    proxy.client.delete_certificate("b.test").await.unwrap();
    let mut wire = Client::new(&["http/1.1"]).wire(proxy.https, "b.test").await;
    assert_eq!(
        wire.get("b.test", "/").await.status,
        200,
        "a name without a certificate is admitted to itself"
    );
}

#[tokio::test]
async fn one_connection_serves_all_the_hosts_of_its_certificate() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let hosts = ["a.test", "b.test", "own.test", "bare.test"];
    proxy.client.put_service(&service("blog", &hosts, &[("c1", app.address)])).await.unwrap();
    let shared = Certified::of_all(&["a.test", "b.test", "own.test", "bare.test"]);
    for host in ["a.test", "b.test"] {
        proxy.client.put_certificate(&shared.put_for(host)).await.unwrap();
    }
    put(&proxy, &Certified::new("own.test")).await;
    let mut sender = connect(proxy.https, "a.test").await;
    let mut status = async |host: &str| {
        let request = Request::get(format!("https://{host}/")).body(whole("")).unwrap();
        within("an answer", sender.send_request(request)).await.unwrap().status().as_u16()
    };
    assert_eq!(status("a.test").await, 200);
    assert_eq!(status("b.test").await, 200, "shown the same certificate");
    assert_eq!(status("own.test").await, 421, "shown its own");
    assert_eq!(status("bare.test").await, 421, "shown none");
    let renewed = Certified::of_all(&["a.test", "b.test"]);
    proxy.client.put_certificate(&renewed.put_for("a.test")).await.unwrap();
    assert_eq!(status("b.test").await, 200, "still shown the one of this connection");
    proxy.client.put_certificate(&renewed.put_for("b.test")).await.unwrap();
    assert_eq!(status("b.test").await, 200, "renewed for both");
    proxy.client.put_certificate(&Certified::new("b.test").spec).await.unwrap();
    assert_eq!(status("b.test").await, 421);
    // Put for a host that it does not speak for: only the name itself is admitted.
    let wrong = Certified::new("x.test");
    for host in ["a.test", "b.test"] {
        proxy.client.put_certificate(&wrong.put_for(host)).await.unwrap();
    }
    let mut sender = connect(proxy.https, "a.test").await;
    for (host, expected) in [("a.test", 200), ("b.test", 421)] {
        let request = Request::get(format!("https://{host}/")).body(whole("")).unwrap();
        let answer = within("an answer", sender.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), expected, "{host}");
    }
}
