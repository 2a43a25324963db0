use paas_proxy::{ListenerProtocol, ProxyMetrics, RequestMetrics};

use crate::support::{App, Deaf, TestProxy, service, until};

async fn metrics(proxy: &TestProxy) -> ProxyMetrics {
    proxy.client.metrics().await.unwrap()
}

/// Waits until a service's counts are so.
async fn counted(proxy: &TestProxy, is_so: impl Fn(&RequestMetrics) -> bool) -> RequestMetrics {
    until("the counts", async || metrics(proxy).await.services.get("blog").is_some_and(&is_so)).await;
    metrics(proxy).await.services.remove("blog").unwrap()
}

#[tokio::test]
async fn requests_are_counted_by_status_duration_and_bytes() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    for _ in 0..3 {
        let answer = wire.ask("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nbody").await;
        assert_eq!(answer.status, 200);
    }
    let read = counted(&proxy, |read| read.ended[1] == 3).await;
    assert_eq!((read.ended, read.in_flight, read.bytes_in, read.bytes_out), ([0, 3, 0, 0, 0], 0, 12, 12));
    assert_eq!(read.durations.iter().sum::<u64>(), 3);
    assert!(read.duration_sum_us > 0);
}

#[tokio::test]
async fn a_request_is_in_flight_until_it_ends() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let read = counted(&proxy, |read| read.in_flight == 1).await;
    assert_eq!(read.ended, [0; 5]);
    app.open_gate();
    assert_eq!(wire.answer().await.status, 200);
    counted(&proxy, |read| read.in_flight == 0 && read.ended[1] == 1).await;
}

#[tokio::test]
async fn counts_outlive_a_change_of_the_service_and_end_with_it() {
    let proxy = TestProxy::start().await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put("blog", "a.test", &[("old", old.address)]).await;
    let mut wire = proxy.connect().await;
    wire.get("a.test", "/").await;
    proxy.put("blog", "a.test", &[("new", new.address)]).await;
    wire.get("a.test", "/").await;
    counted(&proxy, |read| read.ended[1] == 2).await;
    proxy.client.delete_service("blog").await.unwrap();
    assert!(metrics(&proxy).await.services.is_empty());
    proxy.put("blog", "a.test", &[("new", new.address)]).await;
    assert_eq!(counted(&proxy, |_| true).await, RequestMetrics::default());
}

#[tokio::test]
async fn what_a_visitor_sends_makes_no_name() {
    let proxy = TestProxy::start().await;
    proxy.put("blog", "a.test", &[]).await;
    let mut wire = proxy.connect().await;
    for number in 0..10 {
        assert_eq!(wire.get(&format!("host{number}.test"), "/").await.status, 404);
    }
    assert_eq!(wire.get("a.test", "/").await.status, 503);
    until("the counts", async || metrics(&proxy).await.unknown.ended == [0, 0, 0, 10, 0]).await;
    let metrics = metrics(&proxy).await;
    assert_eq!(metrics.services.keys().collect::<Vec<_>>(), ["blog"]);
    assert_eq!(metrics.services["blog"].ended, [0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn connections_are_counted_where_they_come_in() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let of = async |protocol| {
        let listeners = metrics(&proxy).await.listeners;
        listeners.into_iter().find(|listener| listener.protocol == protocol).unwrap()
    };
    let mut wire = proxy.connect().await;
    wire.get("a.test", "/").await;
    let http = of(ListenerProtocol::Http).await;
    assert_eq!((http.address, http.open, http.accepted, http.refused), (proxy.address, 1, 1, 0));
    drop(wire);
    until("its end", async || of(ListenerProtocol::Http).await.open == 0).await;
    assert_eq!(of(ListenerProtocol::Https).await.accepted, 0);
    let mut wire = crate::support::Wire::connect(proxy.https).await;
    wire.send("this is no handshake\r\n\r\n").await;
    wire.rest().await;
    until("the failure", async || metrics(&proxy).await.handshakes_failed == 1).await;
    assert_eq!(of(ListenerProtocol::Https).await.accepted, 1);
}

#[tokio::test]
async fn connections_to_targets_are_counted() {
    let proxy = TestProxy::start().await;
    let app = App::start("one").await;
    let deaf = Deaf::new();
    proxy.client.put_service(&service("blog", &["a.test"], &[("c1", app.address)])).await.unwrap();
    proxy.client.put_service(&service("shop", &["b.test"], &[("c2", deaf.address)])).await.unwrap();
    let mut wire = proxy.connect().await;
    wire.get("a.test", "/").await;
    wire.get("a.test", "/").await;
    assert_eq!(wire.get("b.test", "/").await.status, 502);
    let upstream = metrics(&proxy).await.upstream;
    assert_eq!((upstream.connects, upstream.unreachable, upstream.retries), (2, 1, 0));
}

#[tokio::test]
async fn the_process_and_its_table_are_told() {
    let proxy = TestProxy::start().await;
    let before = metrics(&proxy).await;
    proxy.put("blog", "a.test", &[]).await;
    let after = metrics(&proxy).await;
    assert_eq!(after.generation, before.generation + 1);
    assert_eq!(after.started_at, before.started_at);
    assert!(after.started_at <= time::OffsetDateTime::now_utc());
}
