//! Everything that is no target changes under load: settings, hosts, paths, redirects, certificates.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::{Request, StatusCode};
use paas_proxy::{AccessLog, HostRedirect, PathRoute, ServiceSpec};
use tokio::task::JoinHandle;

use crate::support::{
    App, Certified, Client, TestProxy, TlsStream, Wire, collected, http2_over, leaf, service, until, whole,
    within,
};

const CHANGES: usize = 200;
/// How many requests an HTTP/2 connection carries before the next handshake.
const KEPT_FOR: usize = 10;

/// Without a certificate, so that nobody is sent to HTTPS.
const PLAIN: &str = "a.test";
/// With one.
const SECRET: &str = "s.test";

/// By which way requests come.
#[derive(Debug, Clone, Copy)]
enum Way {
    Kept,
    New,
    KeptTls,
    NewTls,
    Http2,
}

const WAYS: [Way; 5] = [Way::Kept, Way::New, Way::KeptTls, Way::NewTls, Way::Http2];

struct Load {
    http: SocketAddr,
    https: SocketAddr,
    /// The certificates of the encrypted host, so far.
    good: Mutex<HashSet<Vec<u8>>>,
    done: [AtomicU64; WAYS.len()],
    stop: AtomicBool,
}

impl Load {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn done(&self) -> Vec<u64> {
        self.done.iter().map(|done| done.load(Ordering::Relaxed)).collect()
    }

    /// Requests of one way until the end.
    async fn run(self: Arc<Self>, way: Way) {
        while !self.is_over() {
            self.one_connection(way).await;
        }
    }

    async fn one_connection(&self, way: Way) {
        let tls = async || Wire::over(self.shaken("http/1.1").await);
        match way {
            Way::Kept => self.http1(way, PLAIN, Wire::connect(self.http).await, usize::MAX).await,
            Way::New => self.http1(way, PLAIN, Wire::connect(self.http).await, 1).await,
            Way::KeptTls => self.http1(way, SECRET, tls().await, usize::MAX).await,
            Way::NewTls => self.http1(way, SECRET, tls().await, 1).await,
            Way::Http2 => self.http2(way).await,
        }
    }

    /// A new encrypted connection, which shows one of the host's own certificates.
    async fn shaken(&self, protocol: &str) -> TlsStream {
        let stream = Client::new(&[protocol]).connect(self.https, SECRET).await;
        assert!(self.good.lock().unwrap().contains(&leaf(&stream)), "another's certificate");
        stream
    }

    /// Small GETs and POSTs of 2 KiB in turn.
    async fn http1<S>(&self, way: Way, host: &str, mut wire: Wire<S>, count: usize)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let body = "b".repeat(2048);
        let post = format!("POST /echo HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2048\r\n\r\n{body}");
        for number in 0..count {
            if self.is_over() {
                return;
            }
            let answer = wire.get(host, "/").await;
            assert_eq!((answer.status, &*answer.text()), (200, "one"), "{way:?}, {number}: {answer:?}");
            if count > 1 {
                let answer = wire.ask(&post).await;
                assert_eq!((answer.status, answer.body.len()), (200, 2048), "{way:?}, {number}: {answer:?}");
            }
            self.count(way);
        }
    }

    async fn http2(&self, way: Way) {
        let mut sender = http2_over(self.shaken("h2").await).await;
        for number in 0..KEPT_FOR {
            let request = Request::post(format!("https://{SECRET}/echo")).body(whole("hello")).unwrap();
            let response = within("an answer", sender.send_request(request)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{way:?}, {number}: {response:?}");
            assert_eq!(collected(response.into_body()).await.0, "hello", "{way:?}, {number}");
            self.count(way);
        }
    }

    fn count(&self, way: Way) {
        self.done[way as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// The loaded service and, beside it, one that takes paths and hosts from it and gives them back.
struct Specs {
    blog: ServiceSpec,
    other: ServiceSpec,
}

impl Specs {
    /// Makes one change of the services and gives the one that is to be put.
    fn change(&mut self, number: usize) -> &ServiceSpec {
        let Self { blog, other } = self;
        let policy = &mut blog.policy;
        match number % 10 {
            0 => policy.compression ^= true,
            1 => policy.sticky ^= true,
            2 => policy.server_timing ^= true,
            3 => {
                policy.access_log =
                    if policy.access_log == AccessLog::Off { AccessLog::Json } else { AccessLog::Off };
            }
            4 => policy.max_body = if policy.max_body == 4096 { 1 << 30 } else { 4096 },
            5 => toggle(&mut policy.allow, "127.0.0.0/8".parse().unwrap()),
            6 => policy.buffer_requests ^= true,
            7 => toggle(&mut blog.hosts, "*.more.test".to_owned()),
            8 => {
                let path = PathRoute { host: PLAIN.to_owned(), prefix: "/other".to_owned(), strip: true };
                toggle(&mut other.paths, path);
                return other;
            }
            _ => {
                let to = HostRedirect { host: "www.test".to_owned(), to: PLAIN.to_owned(), status: 308 };
                toggle(&mut other.redirects, to);
                return other;
            }
        }
        blog
    }
}

fn toggle<T: PartialEq>(all: &mut Vec<T>, one: T) {
    match all.iter().position(|known| *known == one) {
        Some(at) => drop(all.remove(at)),
        None => all.push(one),
    }
}

/// What is new is in force as soon as the command has returned.
async fn check(proxy: &TestProxy, number: usize, specs: &Specs) {
    let status = async |host: &str, path: &str| proxy.connect().await.get(host, path).await.status;
    match number % 10 {
        7 => assert_eq!(status("b.more.test", "/").await, if specs.blog.hosts.len() > 2 { 200 } else { 404 }),
        8 => {
            let text = proxy.connect().await.get(PLAIN, "/other").await.text();
            assert_eq!(text, if specs.other.paths.is_empty() { "one" } else { "two" });
        }
        9 => {
            assert_eq!(
                status("www.test", "/").await,
                if specs.other.redirects.is_empty() { 404 } else { 308 }
            );
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_everything_else_changes() {
    let proxy = TestProxy::start().await;
    let (one, two) = (App::start("one").await, App::start("two").await);
    let mut specs = Specs {
        blog: service("blog", &[PLAIN, SECRET], &[("one", one.address)]),
        other: service("other", &["other.test"], &[("two", two.address)]),
    };
    for spec in [&specs.blog, &specs.other] {
        proxy.client.put_service(spec).await.unwrap();
    }
    let first = Certified::new(SECRET);
    proxy.client.put_certificate(&first.spec).await.unwrap();
    let load = Arc::new(Load {
        http: proxy.address,
        https: proxy.https,
        good: Mutex::new(HashSet::from([first.leaf])),
        done: Default::default(),
        stop: AtomicBool::new(false),
    });
    let clients: Vec<_> =
        WAYS.iter().cycle().take(10).map(|way| tokio::spawn(Arc::clone(&load).run(*way))).collect();
    let client = Client::new(&["http/1.1"]);
    for number in 0..CHANGES {
        // Every change is among requests of every way.
        let before = load.done();
        until("requests of every way", async || {
            assert!(!clients.iter().any(JoinHandle::is_finished), "a client failed");
            load.done().iter().zip(&before).all(|(now, before)| now > before)
        })
        .await;
        if number % 2 == 0 {
            proxy.client.put_service(specs.change(number / 2)).await.unwrap();
            check(&proxy, number / 2, &specs).await;
            continue;
        }
        match number / 2 % 3 {
            0 => {
                let renewed = Certified::new(SECRET);
                load.good.lock().unwrap().insert(renewed.leaf.clone());
                proxy.client.put_certificate(&renewed.spec).await.unwrap();
                assert_eq!(client.leaf(proxy.https, SECRET).await, renewed.leaf);
            }
            1 => {
                proxy.client.put_certificate(&Certified::new("*.s.test").spec).await.unwrap();
            }
            _ => {
                proxy.client.delete_certificate("*.s.test").await.unwrap();
            }
        }
    }
    load.stop.store(true, Ordering::Relaxed);
    for client in clients {
        within("the end of a client", client).await.unwrap();
    }
    println!("{CHANGES} changes, requests {:?} by {WAYS:?}, 0 failed", load.done());
}
