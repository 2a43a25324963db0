//! An app that closes kept connections at the moment they are used again.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::support::{TestProxy, Wire};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// One request of so many is a POST.
const POST_EVERY: usize = 4;

/// Every connection is closed when it has brought nothing for a time, as Node does. Counts how often each request arrives, whose path
/// is its number.
struct Impatient {
    port: u16,
    arrived: Arc<[AtomicU32]>,
}

impl Impatient {
    async fn start(keeps: Duration, requests: usize) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let arrived: Arc<[AtomicU32]> = (0..requests).map(|_| AtomicU32::new(0)).collect();
        let counts = Arc::clone(&arrived);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, keeps, Arc::clone(&counts)));
            }
        });
        Self { port, arrived }
    }

    fn arrived(&self, request: usize) -> u32 {
        self.arrived[request].load(Ordering::SeqCst)
    }
}

async fn serve(stream: TcpStream, keeps: Duration, arrived: Arc<[AtomicU32]>) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    // A new connection has as much time as anybody needs for a first request.
    let mut patience = Duration::from_mins(1);
    loop {
        let mut line = String::new();
        timeout(patience, stream.read_line(&mut line)).await.ok()?.ok()?;
        let request: usize = line.split(['/', ' ']).nth(2)?.parse().ok()?;
        let mut body = 0;
        while line != "\r\n" {
            if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                body = length.trim().parse().unwrap();
            }
            line.clear();
            stream.read_line(&mut line).await.ok()?;
        }
        stream.read_exact(&mut vec![0; body]).await.ok()?;
        arrived[request].fetch_add(1, Ordering::SeqCst);
        stream.write_all(ANSWER).await.ok()?;
        patience = keeps;
    }
}

/// What came of the requests.
#[derive(Debug, Default)]
struct Outcome {
    requests: usize,
    /// Sent again on a new connection.
    retries: u64,
    failed_gets: usize,
    failed_posts: usize,
}

/// Each client has a service of its own, so that his request finds the connection of the one before, as old as that is.
async fn visit(address: SocketAddr, client: usize, rounds: usize, keeps: Duration) -> Vec<(usize, u16)> {
    let mut wire = Wire::connect(address).await;
    let mut answers = Vec::new();
    // As much around the moment of the closing as between two turns of a timer, or a fiftieth.
    let spread = (keeps / 50).max(Duration::from_millis(2));
    for request in client * rounds..(client + 1) * rounds {
        if request > client * rounds {
            sleep(rand::random_range(keeps.saturating_sub(spread)..keeps + spread)).await;
        }
        let method = if request.is_multiple_of(POST_EVERY) { "POST" } else { "GET" };
        let length = if method == "POST" { "Content-Length: 2\r\n\r\nhi" } else { "\r\n" };
        let ask = format!("{method} /{request} HTTP/1.1\r\nHost: h{client}.test\r\n{length}");
        answers.push((request, wire.ask(ask).await.status));
    }
    answers
}

async fn race(keeps: Duration, clients: usize, rounds: usize) -> Outcome {
    let proxy = TestProxy::start().await;
    let app = Impatient::start(keeps, clients * rounds).await;
    let mut visitors = JoinSet::new();
    for client in 0..clients {
        // An address of its own for each: a target is one service's.
        let [high, low] = u16::try_from(client).unwrap().to_be_bytes();
        let target = SocketAddr::from(([127, 1, high, low], app.port));
        proxy
            .put(&format!("s{client}"), &format!("h{client}.test"), &[(&format!("c{client}"), target)])
            .await;
        visitors.spawn(visit(proxy.address, client, rounds, keeps));
    }
    let mut outcome = Outcome { requests: clients * rounds, ..Outcome::default() };
    for (request, status) in visitors.join_all().await.into_iter().flatten() {
        let (arrived, is_post) = (app.arrived(request), request.is_multiple_of(POST_EVERY));
        match status {
            200 if is_post => assert_eq!(arrived, 1, "POST {request}"),
            200 => assert!((1..=2).contains(&arrived), "GET {request} arrived {arrived} times"),
            502 if is_post => {
                assert!(arrived <= 1, "POST {request} arrived {arrived} times");
                outcome.failed_posts += 1;
            }
            _ => outcome.failed_gets += 1,
        }
    }
    outcome.retries = proxy.client.metrics().await.unwrap().upstream.retries;
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_closed_at_the_moment_of_its_reuse_fails_no_get_and_sends_no_post_twice() {
    let rounds = if is_whole() { 1_600 } else { 160 };
    let outcome = race(Duration::from_millis(20), 64, rounds).await;
    println!("{outcome:?}");
    assert_eq!(outcome.failed_gets, 0);
    assert!(outcome.retries > 0, "the moment was never met in {} requests", outcome.requests);
}

/// The usual time of Node: 100,000 requests, each about five seconds after the one before on its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keep_alive_of_five_seconds_fails_no_request() {
    let (clients, rounds) = if is_whole() { (1_000, 100) } else { (50, 2) };
    let outcome = race(Duration::from_secs(5), clients, rounds).await;
    println!("{outcome:?}");
    assert_eq!((outcome.failed_gets, outcome.failed_posts), (0, 0));
}

fn is_whole() -> bool {
    std::env::var("PAAS_TEST_ALL").is_ok_and(|value| value == "1")
}
