use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::support::{App, TestProxy, Wire, within};

const REQUESTS: u64 = 20_000;
/// How many swaps there are at least while these come.
const SWAPS: u64 = 25;

struct Load {
    address: SocketAddr,
    done: AtomicU64,
    stop: AtomicBool,
}

impl Load {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Requests on kept connections: small GETs and POSTs of 2 KiB in turn.
    async fn kept(self: Arc<Self>) {
        let body = "b".repeat(2048);
        let mut wire = Wire::connect(self.address).await;
        while !self.is_over() {
            let answer = wire.get("a.test", "/").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let post = format!("POST /echo HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2048\r\n\r\n{body}");
            let answer = wire.ask(post).await;
            assert_eq!((answer.status, answer.body.len()), (200, 2048), "{answer:?}");
            self.done.fetch_add(2, Ordering::Relaxed);
        }
    }

    /// A new connection for each request.
    async fn fresh(self: Arc<Self>) {
        while !self.is_over() {
            let answer = Wire::connect(self.address).await.get("a.test", "/").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Swaps between two apps all the time, under load. No request fails, and an app that was reported drained gets none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost() {
    let proxy = TestProxy::start().await;
    let apps = [App::start("one").await, App::start("two").await];
    proxy.put("blog", "a.test", &[("0", apps[0].address)]).await;
    let load =
        Arc::new(Load { address: proxy.address, done: AtomicU64::new(0), stop: AtomicBool::new(false) });
    let mut clients: Vec<_> = (0..8).map(|_| tokio::spawn(Arc::clone(&load).kept())).collect();
    clients.extend((0..3).map(|_| tokio::spawn(Arc::clone(&load).fresh())));

    let begin = Instant::now();
    let mut swaps = 0_u64;
    let mut slowest = Duration::ZERO;
    while load.done.load(Ordering::Relaxed) < REQUESTS || swaps < SWAPS {
        assert!(
            begin.elapsed() < Duration::from_mins(2),
            "too slow: {} requests",
            load.done.load(Ordering::Relaxed)
        );
        let (old, new) = ((swaps % 2) as usize, ((swaps + 1) % 2) as usize);
        let (old_id, new_id) = (swaps.to_string(), (swaps + 1).to_string());
        proxy.put("blog", "a.test", &[(&new_id, apps[new].address)]).await;
        let waited = Instant::now();
        let drained = proxy.client.wait_drained(&old_id, Duration::from_secs(10)).await.unwrap();
        slowest = slowest.max(waited.elapsed());
        assert_eq!(drained.in_flight_left, 0);
        let before = apps[old].requests();
        // Long enough for a straggler to show up.
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(apps[old].requests(), before, "a drained app got a request");
        assert!(!clients.iter().any(tokio::task::JoinHandle::is_finished), "a client failed");
        swaps += 1;
    }
    load.stop.store(true, Ordering::Relaxed);
    for client in clients {
        within("the clients' end", client).await.unwrap();
    }
    let done = load.done.load(Ordering::Relaxed);
    println!("{done} requests, {swaps} swaps, 0 failed, slowest drain {slowest:?}, {:?}", begin.elapsed());
}
