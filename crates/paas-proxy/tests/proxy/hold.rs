use std::time::{Duration, Instant};

use http::Request;
use paas_proxy::{HoldPolicy, ServiceSpec, ServiceState};

use crate::support::{
    App, Certified, TestProxy, Wire, frames, http2, limits, service, time_of, until, whole,
};

const SHORT: Duration = Duration::from_millis(100);

fn held(policy: HoldPolicy) -> impl Fn(&mut ServiceSpec) {
    move |spec| {
        spec.state = ServiceState::Held;
        spec.policy.hold = policy;
    }
}

async fn get(proxy: &TestProxy) -> Wire {
    let mut wire = proxy.connect().await;
    wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    wire
}

async fn is_answered(wire: &mut Wire) -> bool {
    tokio::time::timeout(SHORT, wire.head()).await.is_ok()
}

async fn until_waiting(proxy: &TestProxy, count: usize) {
    until("the requests to wait", async || proxy.client.services().await.unwrap()[0].waiting == count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_requests_over_a_switch_lose_none_and_the_old_end_before_the_new_begin() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put("blog", "a.test", &[("old", old.address)]).await;
    let mut in_flight = Vec::new();
    for _ in 0..100 {
        let mut wire = proxy.connect().await;
        wire.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
        in_flight.push(wire);
    }
    until("the requests in flight", async || old.requests() == 100).await;

    let policy = HoldPolicy { requests: 100, ..HoldPolicy::default() };
    proxy.put_as("blog", "a.test", &[], held(policy)).await;
    let mut waiting = Vec::new();
    for n in 0..100 {
        let mut wire = proxy.connect().await;
        let request = if n % 2 == 0 {
            "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
        } else {
            "POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nnew"
        };
        wire.send(request).await;
        waiting.push(wire);
    }
    until_waiting(&proxy, 100).await;

    (0..100).for_each(|_| old.open_gate());
    for wire in &mut in_flight {
        assert_eq!(wire.answer().await.text(), "old");
    }
    let drained = proxy.client.wait_drained("old", Duration::from_secs(10)).await.unwrap();
    assert_eq!((drained.in_flight_left, old.requests(), new.requests()), (0, 100, 0));
    drop(old);
    proxy.put("blog", "a.test", &[("new", new.address)]).await;
    for wire in &mut waiting {
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.text()), (200, "new".to_owned()));
    }
    assert_eq!(new.requests(), 100);
    until_waiting(&proxy, 0).await;
}

#[tokio::test]
async fn no_more_wait_than_may_and_a_client_that_leaves_gives_its_place_back() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let policy = HoldPolicy { requests: 2, ..HoldPolicy::default() };
    proxy.put_as("blog", "a.test", &[], held(policy)).await;
    let (mut first, second) = (get(&proxy).await, get(&proxy).await);
    until_waiting(&proxy, 2).await;
    let refused = get(&proxy).await.answer().await;
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true));

    drop(second);
    until_waiting(&proxy, 1).await;
    let mut third = get(&proxy).await;
    until_waiting(&proxy, 2).await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    for wire in [&mut first, &mut third] {
        assert_eq!(wire.answer().await.text(), "one");
    }
}

#[tokio::test]
async fn also_a_client_whose_body_nobody_reads_is_seen_to_leave() {
    let proxy = TestProxy::start().await;
    proxy.put_as("blog", "a.test", &[], held(HoldPolicy::default())).await;
    let mut small = proxy.connect().await;
    small.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi").await;
    let mut large = proxy.connect().await;
    large.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 900000\r\n\r\n").await;
    large.send(vec![b'x'; 100_000]).await;
    let mut expecting = proxy.connect().await;
    expecting
        .send("POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        .await;
    until_waiting(&proxy, 3).await;
    for (left, wire) in [(2, large), (1, small), (0, expecting)] {
        drop(wire);
        until_waiting(&proxy, left).await;
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_gives_its_place_back() {
    let proxy = TestProxy::start().await;
    let certified = Certified::new("a.test");
    proxy.client.put_certificate(&certified.spec).await.unwrap();
    proxy.put_as("blog", "a.test", &[], held(HoldPolicy::default())).await;
    let mut sender = http2(proxy.https, "a.test").await;
    let (_frames, body) = frames();
    let mut ask = |method: &str, body| {
        let request = Request::builder().method(method).uri("https://a.test/").body(body).unwrap();
        tokio::spawn(sender.send_request(request))
    };
    let (get, post) = (ask("GET", whole("")), ask("POST", body));
    until_waiting(&proxy, 2).await;
    get.abort();
    until_waiting(&proxy, 1).await;
    post.abort();
    until_waiting(&proxy, 0).await;
}

#[tokio::test]
async fn a_wait_has_an_end() {
    let proxy = TestProxy::start().await;
    let policy = HoldPolicy { timeout_ms: 150, ..HoldPolicy::default() };
    proxy.put_as("blog", "a.test", &[], held(policy)).await;
    let begin = Instant::now();
    let mut wire = proxy.connect().await;
    let post = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi";
    let answer = wire.ask(post).await;
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true));
    assert!(begin.elapsed() >= Duration::from_millis(150));
    assert_eq!(wire.get("a.test", "/").await.status, 503, "the connection goes on");
}

#[tokio::test]
async fn what_the_service_becomes_is_answered() {
    let proxy = TestProxy::start().await;
    for (state, status) in
        [(Some(ServiceState::Stopped), 503), (Some(ServiceState::Maintenance), 503), (None, 404)]
    {
        proxy.put_as("blog", "a.test", &[], held(HoldPolicy::default())).await;
        let mut wire = get(&proxy).await;
        until_waiting(&proxy, 1).await;
        // Another service's change ends nobody's wait.
        proxy.put("other", "b.test", &[]).await;
        proxy.client.delete_service("other").await.unwrap();
        assert!(!is_answered(&mut wire).await);
        match state {
            Some(state) => proxy.put_as("blog", "a.test", &[], |spec| spec.state = state).await,
            None => assert!(proxy.client.delete_service("blog").await.unwrap().existed),
        }
        assert_eq!(wire.answer().await.status, status, "{state:?}");
    }
}

#[tokio::test]
async fn no_body_is_asked_for_meanwhile() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[], held(HoldPolicy::default())).await;
    let mut wire = proxy.connect().await;
    wire.send("POST /echo HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await;
    assert!(!is_answered(&mut wire).await);
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    assert_eq!(wire.head().await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(wire.ask("body").await.text(), "body");
}

#[tokio::test]
async fn a_held_service_is_held_after_a_restart() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put_as("blog", "a.test", &[("c1", app.address)], held(HoldPolicy::default())).await;
    let proxy = TestProxy::start_in(proxy.stop().await, limits()).await.unwrap();
    let mut wire = get(&proxy).await;
    until_waiting(&proxy, 1).await;
    assert_eq!(app.requests(), 0);
    let released = proxy.client.put_service(&service("blog", &["a.test"], &[("c1", app.address)])).await;
    assert!(released.unwrap().removed.is_empty());
    assert_eq!(wire.answer().await.text(), "one");
}

#[tokio::test]
async fn the_end_of_the_proxy_is_the_end_of_the_wait() {
    let proxy = TestProxy::start().await;
    proxy.put_as("blog", "a.test", &[], held(HoldPolicy::default())).await;
    let mut wire = get(&proxy).await;
    until_waiting(&proxy, 1).await;
    let took = time_of(async {
        proxy.begin_shutdown();
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
        proxy.stop().await;
    });
    let took = took.await;
    assert!(took < Duration::from_secs(2), "{took:?}");
}
