use paas_proxy::{HostRedirect, HttpsPolicy, ProxyClientError, ServiceSpec};

use crate::support::{App, Certified, Client, TestProxy, limits, service};

fn redirect(host: &str, to: &str, status: u16) -> HostRedirect {
    HostRedirect { host: host.to_owned(), to: to.to_owned(), status }
}

async fn put(proxy: &TestProxy, hosts: &[&str], redirects: Vec<HostRedirect>) {
    let spec = ServiceSpec { redirects, ..service("blog", hosts, &[]) };
    proxy.client.put_service(&spec).await.unwrap();
}

#[tokio::test]
async fn visitors_of_a_host_are_sent_to_the_same_place_of_another() {
    let proxy = TestProxy::start().await;
    let redirects = vec![
        redirect("www.a.test", "A.test", 308),
        redirect("old.test", "new.example", 301),
        redirect("*.b.test", "a.test", 302),
        redirect("now.test", "a.test", 307),
    ];
    put(&proxy, &["a.test"], redirects).await;
    let mut wire = proxy.connect().await;
    for (host, path, status, expected) in [
        ("www.a.test", "/", 308, "http://a.test/"),
        (
            "WWW.a.test:8080",
            "/a//b/../c;d?e=%2F&f=%c3%a4?",
            308,
            "http://a.test:8080/a//b/../c;d?e=%2F&f=%c3%a4?",
        ),
        ("www.a.test:80", "/x", 308, "http://a.test/x"),
        ("old.test", "/x?y", 301, "http://new.example/x?y"),
        ("x.b.test", "/x", 302, "http://a.test/x"),
        ("now.test", "http://now.test/x", 307, "http://a.test/x"),
    ] {
        let answer = wire.get(host, path).await;
        assert_eq!((answer.status, answer.header("location")), (status, Some(expected)), "{host}{path}");
        assert_eq!(answer.body, b"");
    }
    let post = "POST /x HTTP/1.1\r\nHost: www.a.test\r\nContent-Length: 4\r\n\r\nbody";
    assert_eq!(wire.ask(post).await.status, 308);
    let options = "OPTIONS * HTTP/1.1\r\nHost: www.a.test\r\n\r\n";
    assert_eq!(wire.ask(options).await.status, 404, "`*` is no place to be sent to");
    assert_eq!(wire.get("a.test", "/").await.status, 503, "the host itself has no target");
}

#[tokio::test]
async fn a_redirect_goes_to_https_in_one_hop() {
    let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
        config.https_public_port = 8443;
    });
    let proxy = proxy.await.unwrap();
    put(
        &proxy,
        &["a.test"],
        vec![redirect("www.a.test", "a.test", 308), redirect("x.test", "far.example", 308)],
    )
    .await;
    let mut wire = proxy.connect().await;
    let mut location = async |host: &str| {
        let answer = wire.get(host, "/x").await;
        answer.header("location").unwrap_or_default().to_owned()
    };
    assert_eq!(location("www.a.test:80").await, "http://a.test/x", "nobody has a certificate");
    proxy.client.put_certificate(&Certified::new("www.a.test").spec).await.unwrap();
    assert_eq!(location("www.a.test:80").await, "http://a.test/x", "the browser would stop him there");
    let mut https = Client::new(&["http/1.1"]).wire(proxy.https, "www.a.test").await;
    let answer = https.get("www.a.test:8443", "/x").await;
    assert_eq!(answer.header("location"), Some("https://a.test:8443/x"), "never back to plain text");
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    assert_eq!(location("www.a.test:80").await, "https://a.test:8443/x");
    assert_eq!(location("x.test").await, "http://far.example/x");
    proxy.client.put_certificate(&Certified::new("x.test").spec).await.unwrap();
    assert_eq!(location("x.test").await, "https://far.example:8443/x", "he would be encrypted here");
    let behind = "GET /x HTTP/1.1\r\nHost: www.a.test\r\nX-Forwarded-Proto: https\r\n\r\n";
    let answer = proxy.connect().await.ask(behind).await;
    assert_eq!(answer.header("location"), Some("https://a.test/x"), "the visitor came by HTTPS already");
    let mut spec = ServiceSpec {
        redirects: vec![redirect("www.a.test", "a.test", 308)],
        ..service("blog", &["a.test"], &[])
    };
    spec.https = HttpsPolicy { redirect: false, hsts_seconds: None };
    proxy.client.put_service(&spec).await.unwrap();
    assert_eq!(location("www.a.test").await, "http://a.test/x", "the app does not want it");
}

#[tokio::test]
async fn a_path_of_a_redirected_host_may_lead_to_an_app() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let mut spec = service("blog", &[], &[("c1", app.address)]);
    spec.redirects = vec![redirect("www.a.test", "a.test", 308)];
    spec.paths =
        vec![paas_proxy::PathRoute { host: "www.a.test".into(), prefix: "/api".into(), strip: false }];
    proxy.client.put_service(&spec).await.unwrap();
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("www.a.test", "/api/x").await.text(), "one");
    assert_eq!(wire.get("www.a.test", "/x").await.status, 308);
}

#[tokio::test]
async fn circles_are_refused() {
    let proxy = TestProxy::start().await;
    put(&proxy, &[], vec![redirect("a.test", "b.test", 308)]).await;
    let back =
        ServiceSpec { redirects: vec![redirect("b.test", "a.test", 308)], ..service("shop", &[], &[]) };
    let refused = proxy.client.put_service(&back).await;
    assert!(matches!(refused, Err(ProxyClientError::Refused(_))), "{refused:?}");
}
