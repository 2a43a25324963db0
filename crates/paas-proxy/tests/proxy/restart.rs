use std::fs;

use paas_proxy::{HostRedirect, LoadError, ProxyError, ServiceSpec};

use crate::support::{App, TestProxy, Wire, limits, service};

#[tokio::test]
async fn the_table_survives() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.put("shop", "*.b.test", &[("c2", app.address)]).await;
    let before = proxy.client.services().await.unwrap();
    let proxy = TestProxy::start_in(proxy.stop().await, limits()).await.unwrap();
    assert_eq!(proxy.ready.generation, 2);
    assert_eq!(proxy.client.services().await.unwrap(), before);
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("a.test", "/").await.text(), "one");
    assert_eq!(wire.get("x.b.test", "/").await.text(), "one");
    assert_eq!(
        proxy.client.wait_drained("gone", std::time::Duration::from_secs(9)).await.unwrap().in_flight_left,
        0
    );
}

#[tokio::test]
async fn a_damaged_table_falls_back_to_the_one_before() {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[]).await;
    proxy.put("shop", "b.test", &[]).await;
    let file = proxy.state_file();
    let directory = proxy.stop().await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
    let names: Vec<_> =
        proxy.client.services().await.unwrap().into_iter().map(|status| status.spec.name).collect();
    assert_eq!(names, ["blog"]);
    let put = proxy.client.put_service(&service("shop", &["b.test"], &[])).await.unwrap();
    assert!(put.changed);
}

#[tokio::test]
async fn one_bad_service_does_not_keep_the_others_down() {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[]).await;
    let file = proxy.state_file();
    let directory = proxy.stop().await;
    let mut table: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let services = table["services"].as_array_mut().unwrap();
    services.push(serde_json::json!({ "name": "thief", "hosts": ["A.test"], "targets": [] }));
    services.push(
        serde_json::json!({ "name": "later", "hosts": ["b.test"], "targets": [], "from_the_future": 1 }),
    );
    fs::write(&file, table.to_string()).unwrap();
    let proxy = TestProxy::start_in(directory, limits()).await.unwrap();
    let names: Vec<_> =
        proxy.client.services().await.unwrap().into_iter().map(|status| status.spec.name).collect();
    assert_eq!(names, ["blog", "later"]);
}

#[tokio::test]
async fn a_redirect_to_a_host_of_a_service_later_by_name_survives() {
    let proxy = TestProxy::start().await;
    proxy.put("z-site", "www.a.test", &[]).await;
    let redirects = vec![HostRedirect { host: "*.a.test".into(), to: "www.a.test".into(), status: 308 }];
    let spec = ServiceSpec { redirects, ..service("a-shop", &["shop.test"], &[]) };
    proxy.client.put_service(&spec).await.unwrap();
    let before = proxy.client.services().await.unwrap();
    let proxy = TestProxy::start_in(proxy.stop().await, limits()).await.unwrap();
    assert_eq!(proxy.client.services().await.unwrap(), before);
    let answer = proxy.connect().await.get("x.a.test", "/").await;
    assert_eq!(answer.header("location"), Some("http://www.a.test/"));
}

#[tokio::test]
async fn a_redirect_that_has_become_a_circle_keeps_nothing_else_down() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("z-site", "www.a.test", &[]).await;
    let redirect = |host: &str, to: &str| HostRedirect { host: host.into(), to: to.into(), status: 308 };
    let redirects = vec![redirect("*.a.test", "www.a.test"), redirect("old.test", "shop.test")];
    let spec = ServiceSpec { redirects, ..service("a-shop", &["shop.test"], &[("c1", app.address)]) };
    proxy.client.put_service(&spec).await.unwrap();
    // Now the wildcard stands for its own end.
    proxy.client.delete_service("z-site").await.unwrap();
    let proxy = TestProxy::start_in(proxy.stop().await, limits()).await.unwrap();
    let mut wire = proxy.connect().await;
    assert_eq!(wire.get("shop.test", "/").await.text(), "one");
    assert_eq!(wire.get("old.test", "/").await.header("location"), Some("http://shop.test/"));
    assert_eq!(wire.get("x.a.test", "/").await.status, 404);
}

#[tokio::test]
async fn a_table_of_a_newer_version_is_not_thrown_away() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("table.json"), r#"{"format":2}"#).unwrap();
    let error = TestProxy::start_in(directory, limits()).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, ProxyError::Table(LoadError::Newer { format: 2, .. })), "{error:?}");
}

#[tokio::test]
async fn an_inherited_socket_keeps_clients_over_a_restart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = async |directory| {
        TestProxy::start_on(vec![listener.try_clone().unwrap()], directory, limits()).await.unwrap()
    };
    let app = App::start("one").await;
    let proxy = start(tempfile::tempdir().unwrap()).await;
    assert_eq!(proxy.address, address);
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let directory = proxy.stop().await;
    // Nobody accepts now; the kernel keeps the connection for the next process.
    let mut between = Wire::connect(address).await;
    between.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let proxy = start(directory).await;
    assert_eq!(between.answer().await.text(), "one");
    proxy.stop().await;
}
