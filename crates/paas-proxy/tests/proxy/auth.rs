use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use paas_proxy::{ChallengeProof, ChallengeSpec, PasswordHash, ServiceSpec, ServiceState};

use crate::support::{Answer, App, Certified, RawApp, TestProxy, service};

fn guarded(target: SocketAddr, users: &[(&str, &str)]) -> ServiceSpec {
    let mut spec = service("blog", &["a.test"], &[("c1", target)]);
    spec.policy.basic_auth =
        users.iter().map(|&(user, password)| (user.to_owned(), PasswordHash::new(password))).collect();
    spec
}

fn asking(credentials: &str) -> String {
    let field = format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials));
    format!("GET / HTTP/1.1\r\nHost: a.test\r\n{field}\r\n")
}

fn is_asked_who_he_is(answer: &Answer) {
    assert_eq!(answer.status, 401);
    let asked = answer.header("www-authenticate");
    assert_eq!(asked, Some("Basic realm=\"a.test\", charset=\"UTF-8\""));
}

#[tokio::test]
async fn only_users_with_their_password_come_in() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let spec = guarded(app.address, &[("ann", "p:ä"), ("bob", "")]);
    proxy.client.put_service(&spec).await.unwrap();
    let mut wire = proxy.connect().await;
    is_asked_who_he_is(&wire.get("a.test", "/").await);
    for wrong in ["ann:p", "ann:", "Ann:p:ä", "eve:p:ä", ":", "ann"] {
        is_asked_who_he_is(&wire.ask(asking(wrong)).await);
    }
    assert_eq!(app.requests(), 0);
    for right in ["ann:p:ä", "ann:p:ä", "bob:"] {
        assert_eq!(wire.ask(asking(right)).await.text(), "one");
    }
    is_asked_who_he_is(&wire.ask(asking("ann:p:a")).await);
}

#[tokio::test]
async fn the_app_does_not_see_the_password() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    proxy.client.put_service(&guarded(app.address, &[("ann", "secret")])).await.unwrap();
    assert_eq!(proxy.connect().await.ask(asking("ann:secret")).await.status, 200);
    let seen = app.seen().join("").to_lowercase();
    assert!(!seen.contains("authorization"), "{seen}");
}

#[tokio::test]
async fn a_changed_password_is_in_force_at_once_and_another_app_changes_nothing() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.client.put_service(&guarded(app.address, &[("ann", "old")])).await.unwrap();
    let mut wire = proxy.connect().await;
    assert_eq!(wire.ask(asking("ann:old")).await.status, 200);
    proxy.put("shop", "b.test", &[("c2", app.address)]).await;
    assert_eq!(wire.ask(asking("ann:old")).await.status, 200);
    assert_eq!(wire.get("b.test", "/").await.status, 200, "which anybody may visit");
    proxy.client.put_service(&guarded(app.address, &[("ann", "new")])).await.unwrap();
    is_asked_who_he_is(&wire.ask(asking("ann:old")).await);
    assert_eq!(wire.ask(asking("ann:new")).await.status, 200);
    proxy.client.put_service(&guarded(app.address, &[])).await.unwrap();
    assert_eq!(wire.get("a.test", "/").await.status, 200);
}

#[tokio::test]
async fn nobody_learns_the_state_of_the_app_and_no_password_goes_over_plain_http() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let mut spec = guarded(app.address, &[("ann", "secret")]);
    spec.state = ServiceState::Maintenance;
    proxy.client.put_service(&spec).await.unwrap();
    let mut wire = proxy.connect().await;
    is_asked_who_he_is(&wire.get("a.test", "/").await);
    assert_eq!(wire.ask(asking("ann:secret")).await.status, 503);
    let proof = ChallengeProof::Http01 { token: "token".into(), key_authorization: "token.key".into() };
    proxy.client.put_challenge(&ChallengeSpec { host: "a.test".into(), proof }).await.unwrap();
    let path = "/.well-known/acme-challenge/token";
    assert_eq!(wire.get("a.test", path).await.text(), "token.key", "an authority has no password");
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    assert_eq!(wire.get("a.test", "/").await.status, 308);
}

#[tokio::test]
async fn what_is_no_hash_is_refused_and_not_repeated() {
    let proxy = TestProxy::start().await;
    let mut spec = serde_json::to_value(guarded(([127, 0, 0, 1], 1).into(), &[])).unwrap();
    spec["policy"]["basic_auth"] = serde_json::json!({ "ann": "my-secret" });
    let spec: ServiceSpec = serde_json::from_value(spec).unwrap();
    let error = format!("{:?}", proxy.client.put_service(&spec).await.unwrap_err());
    assert!(error.contains("ann") && !error.contains("my-secret"), "{error}");
}
