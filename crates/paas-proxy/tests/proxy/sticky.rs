use paas_proxy::ServiceSpec;

use crate::support::{Answer, App, Certified, Client, RawApp, TestProxy, within};

fn sticky(spec: &mut ServiceSpec) {
    spec.policy.sticky = true;
}

fn cookie(answer: &Answer) -> String {
    let field = answer.header("set-cookie").expect("a cookie");
    field.split(';').next().unwrap().to_owned()
}

fn get(cookie: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: a.test\r\nCookie: {cookie}\r\n\r\n")
}

#[tokio::test]
async fn a_visitor_stays_until_his_target_leaves() {
    let proxy = TestProxy::start().await;
    let apps = [App::start("0").await, App::start("1").await, App::start("2").await];
    let targets = [("c0", apps[0].address), ("c1", apps[1].address), ("c2", apps[2].address)];
    proxy.put_as("blog", "a.test", &targets, sticky).await;
    let mut wire = proxy.connect().await;
    let first = wire.get("a.test", "/").await;
    let field = first.header("set-cookie").unwrap();
    assert!(
        field.starts_with("paas_target=") && field.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{field}"
    );
    let mine: usize = first.text().parse().unwrap();
    assert!(!field.contains(targets[mine].0), "the id is nobody's business");
    for _ in 0..20 {
        let answer = wire.ask(get(&cookie(&first))).await;
        assert_eq!((answer.text(), answer.header("set-cookie")), (first.text(), None));
    }

    let left: Vec<_> = targets.iter().copied().filter(|target| target.0 != targets[mine].0).collect();
    proxy.put_as("blog", "a.test", &left, sticky).await;
    let moved = wire.ask(get(&cookie(&first))).await;
    assert_ne!(moved.text(), first.text());
    let again = wire.ask(get(&cookie(&moved))).await;
    assert_eq!((again.text(), again.header("set-cookie")), (moved.text(), None));
}

#[tokio::test]
async fn a_target_that_refuses_loses_its_visitors() {
    let proxy = TestProxy::start().await;
    let (first, second) = (App::start("first").await, App::start("second").await);
    let targets = [("c1", first.address), ("c2", second.address)];
    proxy.put_as("blog", "a.test", &targets[..1], sticky).await;
    let mut wire = proxy.connect().await;
    let to_first = cookie(&wire.get("a.test", "/").await);
    proxy.put_as("blog", "a.test", &targets, sticky).await;
    drop(first);
    within("the other target", async {
        loop {
            let answer = wire.ask(get(&to_first)).await;
            if answer.text() == "second" {
                assert_ne!(cookie(&answer), to_first);
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn two_services_share_the_cookie() {
    let proxy = TestProxy::start().await;
    let apps = [App::start("0").await, App::start("1").await];
    let targets = |name: &str| [format!("{name}0"), format!("{name}1")];
    for (name, host) in [("blog", "a.test"), ("shop", "b.test")] {
        let [first, second] = targets(name);
        let both = [(first.as_str(), apps[0].address), (second.as_str(), apps[1].address)];
        proxy.put_as(name, host, &both, sticky).await;
    }
    let mut wire = proxy.connect().await;
    let blog = wire.get("a.test", "/").await;
    let shop = wire.ask(get(&cookie(&blog)).replace("a.test", "b.test")).await;
    let both = cookie(&shop);
    for _ in 0..10 {
        for (host, text) in [("a.test", blog.text()), ("b.test", shop.text())] {
            let answer = wire.ask(get(&both).replace("a.test", host)).await;
            assert_eq!((answer.text(), answer.header("set-cookie")), (text, None));
        }
    }
}

#[tokio::test]
async fn the_app_sees_its_own_cookies_alone() {
    let proxy = TestProxy::start().await;
    let app = RawApp::start(b"HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], sticky).await;
    let mut wire = proxy.connect().await;
    let answer = wire.ask(get("a=1;b=\"2\"; paas_target=old;  c")).await;
    assert!(answer.head.contains("set-cookie: own=1\r\nset-cookie: paas_target="), "{}", answer.head);
    let seen = app.seen().join("");
    assert!(seen.contains("cookie: a=1;b=\"2\";  c\r\n"), "{seen}");
}

#[tokio::test]
async fn over_https_the_cookie_is_secure() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], sticky).await;
    let certified = Certified::new("a.test");
    proxy.client.put_certificate(&certified.spec).await.unwrap();
    let mut wire = Client::new(&["http/1.1"]).wire(proxy.https, "a.test").await;
    let answer = wire.get("a.test", "/").await;
    assert!(answer.header("set-cookie").unwrap().ends_with("; SameSite=Lax; Secure"), "{}", answer.head);
}

#[tokio::test]
async fn no_cache_is_given_a_visitors_cookie() {
    let proxy = TestProxy::start().await;
    for (caching, cookies) in
        [("public, max-age=60", 0), ("S-MaxAge=9", 0), ("private", 1), ("max-age=60", 1)]
    {
        let answer = format!("HTTP/1.1 200 OK\r\nCache-Control: {caching}\r\nContent-Length: 2\r\n\r\nok");
        let app = RawApp::start(answer.into_bytes().leak()).await;
        proxy.put_as("blog", "a.test", &[(&format!("c{}", caching.len()), app.address)], sticky).await;
        let answer = proxy.connect().await.get("a.test", "/").await;
        assert_eq!(answer.head.matches("set-cookie: paas_target").count(), cookies, "{caching}");
    }
}
