use paas_proxy::{ServiceSpec, ServiceState};

use crate::support::{Answer, RawApp, TestProxy, Wire, service};

const HTML: &str = "GET / HTTP/1.1\r\nHost: a.test\r\nAccept: text/html\r\n\r\n";

async fn html(wire: &mut Wire) -> Answer {
    let answer = wire.ask(HTML).await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    answer
}

fn spec() -> ServiceSpec {
    let mut spec = service("blog", &["a.test"], &[]);
    spec.policy.error_pages.insert(503, "<p>own 503".to_owned());
    spec
}

#[tokio::test]
async fn maintenance_is_said_on_its_own_page() {
    let proxy = TestProxy::start().await;
    let mut wire = proxy.connect().await;
    let mut spec = service("blog", &["a.test"], &[]);
    spec.state = ServiceState::Maintenance;
    for (own, general, expected) in [
        (None, None, "The application is being maintained."),
        (None, Some("<p>own 503"), "<p>own 503"),
        (Some("<p>back soon"), Some("<p>own 503"), "<p>back soon"),
    ] {
        spec.policy.maintenance_page = own.map(str::to_owned);
        spec.policy.error_pages = general.map(|page| (503, page.to_owned())).into_iter().collect();
        proxy.client.put_service(&spec).await.unwrap();
        let answer = html(&mut wire).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")));
        assert!(answer.text().contains(expected), "{}", answer.text());
        let plain = wire.get("a.test", "/").await;
        assert_eq!(plain.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(plain.text().contains("being maintained"), "{}", plain.text());
    }
    spec.state = ServiceState::Stopped;
    proxy.client.put_service(&spec).await.unwrap();
    assert_eq!(html(&mut wire).await.text(), "<p>own 503", "the other page is for maintenance alone");
}

#[tokio::test]
async fn own_pages_replace_ours_and_never_the_apps() {
    let proxy = TestProxy::start().await;
    let mut wire = proxy.connect().await;
    proxy.client.put_service(&spec()).await.unwrap();
    let answer = html(&mut wire).await;
    assert_eq!((answer.status, answer.text().as_str()), (503, "<p>own 503"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let app = RawApp::start(
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 7\r\n\r\nthe app",
    )
    .await;
    let mut with_app = spec();
    with_app.targets = service("", &[], &[("c1", app.address)]).targets;
    proxy.client.put_service(&with_app).await.unwrap();
    assert_eq!(html(&mut wire).await.text(), "the app");
    with_app.policy.allow = vec!["192.0.2.0/24".parse().unwrap()];
    with_app.policy.error_pages.insert(403, "<p>own 403".to_owned());
    proxy.client.put_service(&with_app).await.unwrap();
    let answer = html(&mut wire).await;
    assert_eq!((answer.status, answer.text().as_str()), (403, "<p>own 403"));
    let unknown = wire.ask(HTML.replace("a.test", "b.test")).await;
    assert!(unknown.text().contains("There is nothing at this address."), "{}", unknown.text());
}

#[tokio::test]
async fn many_large_pages_fit_a_command() {
    let proxy = TestProxy::start().await;
    let mut spec = spec();
    // Escaped they are twice as long.
    spec.policy.error_pages = (500..530).map(|status| (status, "\n".repeat(64 * 1024))).collect();
    proxy.client.put_service(&spec).await.unwrap();
}
