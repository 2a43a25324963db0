use std::os::unix::fs::PermissionsExt;

use paas_proxy::{ProxyClient, ProxyClientError, ProxyError, RefusalKind, ServiceState, TargetState};

use crate::support::{App, TestProxy, limits, service};

#[tokio::test]
async fn a_service_is_put_seen_replaced_and_deleted() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let spec = service("blog", &["Blog.test"], &[("c1", app.address)]);
    let put = proxy.client.put_service(&spec).await.unwrap();
    assert_eq!((put.generation, put.changed), (1, true));
    assert_eq!(proxy.connect().await.get("blog.test", "/").await.text(), "one");

    let services = proxy.client.services().await.unwrap();
    assert_eq!(services.len(), 1);
    assert_eq!(services[0].spec, spec, "the spec comes back as it was put");
    assert_eq!((services[0].targets[0].state, services[0].targets[0].in_flight), (TargetState::Active, 0));

    let again = proxy.client.put_service(&spec).await.unwrap();
    assert_eq!((again.generation, again.changed), (1, false));
    let moved =
        proxy.client.put_service(&service("blog", &["new.test"], &[("c2", app.address)])).await.unwrap();
    assert_eq!((moved.generation, moved.removed), (2, vec!["c1".to_owned()]));
    assert_eq!(proxy.connect().await.get("blog.test", "/").await.status, 404);

    let status = proxy.client.status().await.unwrap();
    assert_eq!((status.generation, status.services, status.pid), (2, 1, std::process::id()));
    let deleted = proxy.client.delete_service("blog").await.unwrap();
    assert!(deleted.existed);
    assert!(!proxy.client.delete_service("blog").await.unwrap().existed);
    assert_eq!(proxy.connect().await.get("new.test", "/").await.status, 404);
}

#[tokio::test]
async fn a_host_of_another_service_is_refused() {
    let proxy = TestProxy::start().await;
    proxy.client.put_service(&service("blog", &["a.test", "*.b.test"], &[])).await.unwrap();
    for host in ["A.test", "a.test.", "*.B.test"] {
        let error = proxy.client.put_service(&service("shop", &["free.test", host], &[])).await.unwrap_err();
        let ProxyClientError::Refused(refusal) = &error else { panic!("{error:?}") };
        assert!(
            matches!(&refusal.kind, RefusalKind::HostTaken { service, .. } if service == "blog"),
            "{refusal:?}"
        );
        assert!(error.to_string().contains("belongs to the service blog"), "{error}");
    }
    assert_eq!(proxy.client.services().await.unwrap().len(), 1, "nothing of a refused command stays");
    proxy.client.put_service(&service("shop", &["x.b.test"], &[])).await.unwrap();
}

#[tokio::test]
async fn a_target_of_another_service_or_address_is_refused() {
    let proxy = TestProxy::start().await;
    let (here, there) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
    proxy.put("blog", "a.test", &[("c1", here)]).await;
    for spec in [service("shop", &[], &[("c1", here)]), service("blog", &[], &[("c1", there)])] {
        let error = proxy.client.put_service(&spec).await.unwrap_err();
        assert!(
            matches!(&error, ProxyClientError::Refused(refusal) if matches!(refusal.kind, RefusalKind::TargetTaken { .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn nonsense_is_refused_in_words() {
    let proxy = TestProxy::start().await;
    for spec in [service("a b", &[], &[]), service("a", &["a:80"], &[]), service("../x", &[], &[])] {
        let error = proxy.client.put_service(&spec).await.unwrap_err();
        assert!(
            matches!(&error, ProxyClientError::Refused(refusal) if refusal.kind == RefusalKind::Invalid),
            "{error:?}"
        );
    }
    let mut large = service("large", &[], &[]);
    large.hosts = vec!["a.test".repeat(10); 150_000];
    assert!(proxy.client.put_service(&large).await.is_err());
    assert_eq!(proxy.client.status().await.unwrap().generation, 0);
}

#[tokio::test]
async fn a_stopped_service_says_so() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let mut spec = service("blog", &["a.test"], &[("c1", app.address)]);
    spec.state = ServiceState::Stopped;
    proxy.client.put_service(&spec).await.unwrap();
    let answer = proxy.connect().await.get("a.test", "/").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("10")));
    assert!(answer.text().contains("stopped"));
    assert_eq!(app.requests(), 0);
}

#[tokio::test]
async fn a_table_that_cannot_be_saved_is_not_put_in_force() {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[]).await;
    // A directory where the temporary file goes: also root cannot write that.
    std::fs::create_dir(proxy.directory.path().join("table.json.new")).unwrap();
    let error = proxy.client.put_service(&service("shop", &["b.test"], &[])).await.unwrap_err();
    assert!(
        matches!(&error, ProxyClientError::Refused(refusal) if refusal.kind == RefusalKind::NotDurable),
        "{error:?}"
    );
    assert_eq!(proxy.client.services().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_socket_is_for_its_group_and_for_one_proxy() {
    let proxy = TestProxy::start().await;
    let path = proxy.client.socket().to_owned();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let second = TestProxy::start_in(copy_of(&proxy), limits()).await;
    assert!(matches!(second.map(|_| ()), Err(ProxyError::AlreadyRunning { .. })));
    let directory = proxy.stop().await;
    assert!(!path.exists(), "the socket's file goes with the proxy");
    // What a killed proxy leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    TestProxy::start_in(directory, limits()).await.unwrap();
}

/// Another directory whose socket is the running proxy's.
fn copy_of(proxy: &TestProxy) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(proxy.client.socket(), directory.path().join("proxy.sock")).unwrap();
    directory
}

#[tokio::test]
async fn without_a_proxy_the_error_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("proxy.sock");
    let error = ProxyClient::new(&path).status().await.unwrap_err();
    let expected = format!(
        "the proxy does not answer on {}; start it with `systemctl start paas-proxy`",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}
