use paas_proxy::{PathRoute, ProxyClientError, RefusalKind, ServiceSpec};

use crate::support::{App, RawApp, TestProxy, service};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn route(host: &str, prefix: &str, strip: bool) -> PathRoute {
    PathRoute { host: host.to_owned(), prefix: prefix.to_owned(), strip }
}

fn below(name: &str, paths: Vec<PathRoute>, target: (&str, std::net::SocketAddr)) -> ServiceSpec {
    ServiceSpec { paths, ..service(name, &[], &[target]) }
}

#[tokio::test]
async fn a_path_leads_to_another_app_than_the_rest_of_its_host() {
    let proxy = TestProxy::start().await;
    let (site, blog) = (App::start("site").await, App::start("blog").await);
    proxy.put("site", "a.test", &[("c1", site.address)]).await;
    let paths = vec![
        route("a.test", "/blog", false),
        route("*.b.test", "/blog", false),
        route("alone.test", "/blog", false),
    ];
    proxy.client.put_service(&below("blog", paths, ("c2", blog.address))).await.unwrap();
    let mut wire = proxy.connect().await;
    for (host, path, expected) in [
        ("a.test", "/", "site"),
        ("a.test", "/blogs", "site"),
        ("A.test:80", "/blog", "blog"),
        ("a.test", "/blog/x", "blog"),
        ("a.test", "/blog?x", "blog"),
        ("x.b.test", "/blog/", "blog"),
        ("alone.test", "/blog", "blog"),
    ] {
        assert_eq!(wire.get(host, path).await.text(), expected, "{host}{path}");
    }
    for (host, path) in [("x.b.test", "/"), ("alone.test", "/x"), ("alone.test", "/blogs")] {
        assert_eq!(wire.get(host, path).await.status, 404, "{host}{path}");
    }
}

#[tokio::test]
async fn a_stripped_prefix_is_told_and_nothing_else_changes() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(OK).await;
    let paths = vec![route("a.test", "/s", true), route("a.test", "/k", false)];
    proxy.client.put_service(&below("blog", paths, ("c1", app.address))).await.unwrap();
    let mut wire = proxy.connect().await;
    for (path, expected) in [
        ("/s", "/"),
        ("/s/", "/"),
        ("/s?q=%2F", "/?q=%2F"),
        ("/s//x/../y;z?e=%20&&?", "//x/../y;z?e=%20&&?"),
        ("/k/x?y", "/k/x?y"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-Prefix: /evil\r\n\r\n");
        assert_eq!(wire.ask(request).await.status, 200);
        let seen = app.seen().pop().unwrap();
        assert!(seen.starts_with(&format!("GET {expected} HTTP/1.1\r\n")), "{path}: {seen}");
        let told: Vec<_> = seen.lines().filter(|line| line.starts_with("x-forwarded-prefix")).collect();
        let wanted: &[&str] = if path.starts_with("/s") { &["x-forwarded-prefix: /s"] } else { &[] };
        assert_eq!(told, wanted, "{path}");
    }
}

#[tokio::test]
async fn a_path_belongs_to_one_service() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let taken = vec![route("a.test", "/blog", false)];
    proxy.client.put_service(&below("blog", taken.clone(), ("c1", app.address))).await.unwrap();
    let refused = proxy.client.put_service(&below("thief", taken, ("c2", app.address))).await;
    let Err(ProxyClientError::Refused(refusal)) = refused else { panic!("{refused:?}") };
    let expected = RefusalKind::HostTaken { host: "a.test/blog".to_owned(), service: "blog".to_owned() };
    assert_eq!(refusal.kind, expected);
    assert_eq!(refusal.message, "the path a.test/blog belongs to the service blog; remove it there first");
    let deeper = vec![route("a.test", "/blog/x", false)];
    proxy.client.put_service(&below("deeper", deeper, ("c2", app.address))).await.unwrap();
    proxy.client.delete_service("blog").await.unwrap();
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/blog/x").await.status, 200);
    assert_eq!(wire.get("a.test", "/blog").await.status, 404);
}

#[tokio::test]
async fn a_switch_keeps_requests_on_their_path() {
    let proxy = TestProxy::start().await;
    let (one, two) = (App::start("one").await, App::start("two").await);
    let paths = || vec![route("a.test", "/blog", true)];
    proxy.client.put_service(&below("blog", paths(), ("c1", one.address))).await.unwrap();
    let mut wire = proxy.connect().await;
    wire.send("GET /blog/gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    crate::support::until("the request", async || one.requests() == 1).await;
    proxy.client.put_service(&below("blog", paths(), ("c2", two.address))).await.unwrap();
    assert_eq!(proxy.connect().await.get("a.test", "/blog").await.text(), "two");
    one.open_gate();
    assert_eq!(wire.answer().await.text(), "one");
}

#[tokio::test]
async fn a_websocket_is_opened_below_a_stripped_prefix() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let paths = vec![route("a.test", "/live", true)];
    proxy.client.put_service(&below("live", paths, ("c1", app.address))).await.unwrap();
    let mut wire = proxy.connect().await;
    wire.send(
        "GET /live/upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    wire.send("ping").await;
    assert_eq!(wire.exactly(4).await, b"ping");
}
