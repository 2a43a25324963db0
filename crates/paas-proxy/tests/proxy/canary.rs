use std::net::SocketAddr;

use paas_proxy::{CandidateSpec, ServiceSpec, TargetState};

use crate::support::{Answer, App, Deaf, TestProxy, service, target, until};

fn candidate(percent: u8, id: &str, address: SocketAddr) -> impl Fn(&mut ServiceSpec) {
    move |spec| {
        spec.candidate =
            Some(CandidateSpec { id: "v2".to_owned(), percent, targets: vec![target(id, address)] });
    }
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").expect("a cookie").split(';').next().unwrap().to_owned()
}

/// Which version each visitor gets; none is given another cookie.
async fn versions(proxy: &TestProxy, cookies: &[String]) -> Vec<bool> {
    let mut wire = proxy.connect().await;
    let mut versions = Vec::new();
    for cookie in cookies {
        let answer = wire.ask(format!("GET / HTTP/1.1\r\nHost: a.test\r\nCookie: {cookie}\r\n\r\n")).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None));
        versions.push(answer.text() == "new");
    }
    versions
}

#[tokio::test]
async fn a_visitor_keeps_his_version_while_the_share_grows_and_shrinks() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    let put = async |percent| {
        proxy.put_as("blog", "a.test", &[("c1", old.address)], candidate(percent, "c2", new.address)).await;
    };
    put(50).await;
    let (mut cookies, mut first) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let answer = proxy.connect().await.get("a.test", "/").await;
        cookies.push(cookie(&answer));
        first.push(answer.text() == "new");
    }
    let share = first.iter().filter(|new| **new).count();
    assert!((60..140).contains(&share), "{share} of 200");
    assert_eq!(versions(&proxy, &cookies).await, first, "everybody has what he had");
    put(90).await;
    let grown = versions(&proxy, &cookies).await;
    assert!(first.iter().zip(&grown).all(|(before, now)| now >= before) && grown != first);
    put(10).await;
    let shrunk = versions(&proxy, &cookies).await;
    assert!(first.iter().zip(&shrunk).all(|(before, now)| now <= before) && shrunk != first);
    put(50).await;
    assert_eq!(versions(&proxy, &cookies).await, first);
    put(0).await;
    assert!(versions(&proxy, &cookies).await.iter().all(|new| !new));
}

#[tokio::test]
async fn a_cookie_of_an_earlier_candidate_is_drawn_anew() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put_as("blog", "a.test", &[("c1", old.address)], candidate(100, "c2", new.address)).await;
    let mut wire = proxy.connect().await;
    for cookie in ["paas_canary=AAAAAAAAAAAA.3", "paas_canary=in", "paas_canary="] {
        let answer = wire.ask(format!("GET / HTTP/1.1\r\nHost: a.test\r\nCookie: {cookie}\r\n\r\n")).await;
        let field = answer.header("set-cookie").unwrap();
        assert!(field.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{field}");
        assert_eq!(answer.text(), "new");
    }
}

#[tokio::test]
async fn a_candidate_that_cannot_be_reached_costs_nobody_an_answer() {
    let proxy = TestProxy::start().await;
    let (old, deaf) = (App::start("old").await, Deaf::new());
    proxy.put_as("blog", "a.test", &[("c1", old.address)], candidate(100, "c2", deaf.address)).await;
    let mut wire = proxy.connect().await;
    for _ in 0..20 {
        let post = "POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(wire.ask(post).await.text(), "hi");
    }
    assert_eq!(old.requests(), 20);
}

#[tokio::test]
async fn a_candidate_that_becomes_the_service_is_not_drained() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put_as("blog", "a.test", &[("c1", old.address)], candidate(100, "c2", new.address)).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || new.requests() == 1).await;
    let listed = async || {
        let targets = proxy.client.services().await.unwrap().remove(0).targets;
        targets.into_iter().map(|target| (target.id, target.state, target.in_flight)).collect::<Vec<_>>()
    };
    let (c1, c2) = ("c1".to_owned(), "c2".to_owned());
    assert_eq!(listed().await, [(c1, TargetState::Active, 0), (c2.clone(), TargetState::Active, 1)]);

    let promoted = service("blog", &["a.test"], &[("c2", new.address)]);
    let outcome = proxy.client.put_service(&promoted).await.unwrap();
    assert_eq!(outcome.removed, ["c1"]);
    assert_eq!(listed().await, [(c2, TargetState::Active, 1)]);
    new.open_gate();
    assert_eq!(slow.answer().await.text(), "new");
}

#[tokio::test]
async fn a_candidate_that_is_given_up_is_drained() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put_as("blog", "a.test", &[("c1", old.address)], candidate(100, "c2", new.address)).await;
    let given_up = service("blog", &["a.test"], &[("c1", old.address)]);
    assert_eq!(proxy.client.put_service(&given_up).await.unwrap().removed, ["c2"]);
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "old");
}

#[tokio::test]
async fn what_cannot_be_a_candidate_is_refused() {
    let proxy = TestProxy::start().await;
    let address = App::start("one").await.address;
    let mut spec = service("blog", &["a.test"], &[("c1", address)]);
    for adjust in [candidate(101, "c2", address), candidate(10, "c1", address), candidate(10, "c/2", address)]
    {
        adjust(&mut spec);
        assert!(proxy.client.put_service(&spec).await.is_err(), "{:?}", spec.candidate);
    }
    candidate(10, "c2", address)(&mut spec);
    proxy.client.put_service(&spec).await.unwrap();
    let thief = service("shop", &["b.test"], &[("c2", address)]);
    assert!(proxy.client.put_service(&thief).await.is_err(), "the id is taken");
}
