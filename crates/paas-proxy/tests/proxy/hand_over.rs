use std::{
    io::{self, BufRead as _, Write as _},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use http::{Request, StatusCode};
use paas_proxy::{
    ChallengeProof, ChallengeSpec, Limits, ProxyClientError, ProxyError, RefusalKind, ServiceState, Successor,
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    App, Certified, Http3, Next, TestProxy, Wire, collected, http2, limits, time_of, until, whole, within,
};

const LONG: Duration = Duration::from_secs(15);

/// Requests without end, each of which must be answered. On one connection until the proxy wants it closed, or each on its own.
async fn load(address: std::net::SocketAddr, keep: bool, stop: CancellationToken) -> u64 {
    let mut count = 0;
    let mut kept: Option<Wire> = None;
    while !stop.is_cancelled() {
        let mut wire = match kept.take() {
            Some(wire) => wire,
            None => Wire::connect(address).await,
        };
        let answer = wire.get("a.test", "/").await;
        assert_eq!((answer.status, answer.text()), (200, "one".to_owned()));
        count += 1;
        if keep && answer.header("connection") != Some("close") {
            kept = Some(wire);
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let stop = CancellationToken::new();
    let clients: Vec<_> =
        (0..8).map(|n| tokio::spawn(load(proxy.address, n % 2 == 0, stop.clone()))).collect();
    for generation in 1..=4 {
        until("some requests", async || app.requests() > generation * 1000).await;
        proxy.client.hand_over().await.unwrap();
        assert_eq!(next.took_over(), generation);
    }
    until("the end of the others", async || proxy.client.status().await.unwrap().predecessors == 0).await;
    until("some requests", async || app.requests() > 5000).await;
    stop.cancel();
    let mut answered = 0;
    for client in clients {
        answered += within("the end of a client", client).await.unwrap();
    }
    assert_eq!(answered, app.requests(), "none was sent twice");
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn an_idle_connection_may_bring_one_more_request() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut kept = proxy.connect().await;
    kept.get("a.test", "/").await;
    let mut silent = proxy.connect().await;
    until("the silent one's accept", async || proxy.connect().await.get("a.test", "/").await.status == 200)
        .await;
    proxy.client.hand_over().await.unwrap();
    // Longer than a shutdown waits for requests that are under way.
    tokio::time::sleep(Duration::from_millis(400)).await;
    for wire in [&mut kept, &mut silent] {
        let answer = wire.get("a.test", "/").await;
        assert_eq!((answer.text(), answer.header("connection")), ("one".to_owned(), Some("close")));
    }
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn a_connection_of_http2_is_told_to_go_and_loses_nothing() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut sender = http2(proxy.https, "a.test").await;
    let request = |path: &str| Request::get(format!("https://a.test{path}")).body(whole("")).unwrap();
    let slow = sender.send_request(request("/gate"));
    let (slow, ()) = tokio::join!(slow, async {
        until("the slow request", async || app.requests() == 1).await;
        proxy.client.hand_over().await.unwrap();
        app.open_gate();
    });
    assert_eq!(collected(slow.unwrap().into_body()).await.0, "one");
    until("the end of the connection", async || sender.is_closed()).await;
    let mut sender = http2(proxy.https, "a.test").await;
    assert_eq!(
        within("an answer", sender.send_request(request("/"))).await.unwrap().status(),
        StatusCode::OK
    );
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn a_wait_for_a_drain_knows_of_requests_in_every_process() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let (old, new) = (App::start("old").await, App::start("new").await);
    proxy.put("blog", "a.test", &[("old", old.address)]).await;
    let mut first = proxy.connect().await;
    first.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the first request", async || old.requests() == 1).await;
    proxy.client.hand_over().await.unwrap();
    let mut second = proxy.connect().await;
    second.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the second request", async || old.requests() == 2).await;
    proxy.client.hand_over().await.unwrap();
    assert_eq!(proxy.client.status().await.unwrap().predecessors, 2);

    proxy.put("blog", "a.test", &[("new", new.address)]).await;
    let client = proxy.client.clone();
    let mut wait = tokio::spawn(async move { client.wait_drained("old", LONG).await.unwrap() });
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut wait).await.is_err(), "two are in flight");
    old.open_gate();
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut wait).await.is_err(), "one is in flight");
    old.open_gate();
    assert_eq!(within("the end of the wait", wait).await.unwrap().in_flight_left, 0);
    for wire in [&mut first, &mut second] {
        let answer = wire.answer().await;
        assert_eq!((answer.text(), answer.header("connection")), ("old".to_owned(), Some("close")));
    }
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "new");
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn a_deadline_cuts_in_every_process() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || app.requests() == 1).await;
    proxy.client.hand_over().await.unwrap();
    proxy.client.delete_service("blog").await.unwrap();
    let outcome = proxy.client.wait_drained("c1", Duration::from_millis(50)).await.unwrap();
    assert_eq!(outcome.in_flight_left, 1);
    assert_eq!(slow.answer().await.status, 504);
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn a_wait_goes_on_over_a_hand_over() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || app.requests() == 1).await;
    proxy.client.delete_service("blog").await.unwrap();
    let client = proxy.client.clone();
    let mut wait = tokio::spawn(async move { client.wait_drained("c1", LONG).await.unwrap() });
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut wait).await.is_err());
    proxy.client.hand_over().await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut wait).await.is_err());
    app.open_gate();
    assert_eq!(within("the end of the wait", wait).await.unwrap().in_flight_left, 0);
    assert_eq!(slow.answer().await.text(), "one");
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn a_websocket_lives_until_the_limit_and_is_told() {
    let limit = Duration::from_millis(700);
    let (proxy, next) =
        TestProxy::start_replaceable(Limits { shutdown_timeout: limit, ..limits() }, false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut wire = proxy.connect().await;
    wire.send("GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("HTTP/1.1 101 "));
    let took = time_of(async {
        let begin = Instant::now();
        proxy.client.hand_over().await.unwrap();
        let hello = [0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2];
        wire.send(hello).await;
        assert_eq!(wire.exactly(hello.len()).await, hello);
        assert_eq!(wire.exactly(4).await, [0x88, 0x02, 0x03, 0xe9]);
        assert!(begin.elapsed() >= limit, "{:?}", begin.elapsed());
        wire.send([0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe9 ^ 2]).await;
        assert_eq!(wire.rest().await, b"");
        drop(wire);
        proxy.ended().await;
    });
    let took = took.await;
    assert!(took < limit + Duration::from_secs(5), "{took:?}");
    next.stop().await;
}

/// A proxy that has handed over while `count` requests waited for a held service.
async fn handed_over_while_held(limits: Limits, count: usize) -> (TestProxy, Next, Vec<Wire>) {
    let (proxy, next) = TestProxy::start_replaceable(limits, false).await;
    proxy.put_as("blog", "a.test", &[], |spec| spec.state = ServiceState::Held).await;
    let mut waiting = Vec::new();
    for _ in 0..count {
        let mut wire = proxy.connect().await;
        wire.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
        waiting.push(wire);
    }
    until("the requests to wait", async || proxy.client.services().await.unwrap()[0].waiting == count).await;
    proxy.client.hand_over().await.unwrap();
    (proxy, next, waiting)
}

#[tokio::test]
async fn requests_that_wait_go_on_when_the_successor_is_told() {
    let (proxy, next, mut waiting) = handed_over_while_held(limits(), 3).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    for wire in &mut waiting {
        let answer = wire.answer().await;
        assert_eq!((answer.text(), answer.header("connection")), ("one".to_owned(), Some("close")));
    }
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn requests_that_wait_longer_than_their_process_lives_are_answered() {
    let limit = Duration::from_millis(500);
    let (proxy, next, mut waiting) =
        handed_over_while_held(Limits { shutdown_timeout: limit, ..limits() }, 3).await;
    let begin = Instant::now();
    for wire in &mut waiting {
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
        assert!(answer.header("retry-after").is_some());
    }
    assert!(begin.elapsed() < limit + Duration::from_secs(4), "{:?}", begin.elapsed());
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn requests_that_wait_hold_up_nobody_who_ends() {
    let (proxy, next, mut waiting) = handed_over_while_held(limits(), 3).await;
    let stopping = tokio::spawn(async move { next.stop().await });
    for wire in &mut waiting {
        let answer = wire.answer().await;
        assert_eq!((answer.status, answer.header("connection")), (503, Some("close")));
    }
    within("the end of the last", stopping).await.unwrap();
    proxy.ended().await;
}

#[tokio::test]
async fn whoever_ends_waits_for_what_still_drains() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    let mut tunnel = proxy.connect().await;
    tunnel
        .send("GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        .await;
    tunnel.head().await;
    until("both requests", async || app.requests() == 2).await;
    proxy.client.hand_over().await.unwrap();
    let begin = Instant::now();
    let last = next.clone();
    let stopping = tokio::spawn(async move { last.stop().await });
    assert_eq!(tunnel.exactly(4).await, [0x88, 0x02, 0x03, 0xe9], "nobody waits for a tunnel");
    assert_eq!(tunnel.rest().await, b"");
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(!stopping.is_finished());
    app.open_gate();
    assert_eq!(slow.answer().await.text(), "one");
    within("the end of the last", stopping).await.unwrap();
    proxy.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asked_is_answered_though_the_process_ends() {
    for _ in 0..20 {
        let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
        // Nothing is in flight: it ends at once.
        proxy.client.hand_over().await.unwrap();
        proxy.ended().await;
        next.stop().await;
    }
}

#[tokio::test]
async fn what_no_file_holds_is_handed_over_too() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let proof = ChallengeProof::Http01 { token: "tok".into(), key_authorization: "tok.key".into() };
    proxy.client.put_challenge(&ChallengeSpec { host: "a.test".into(), proof }).await.unwrap();
    proxy.client.hand_over().await.unwrap();
    let answer = proxy.connect().await.get("a.test", "/.well-known/acme-challenge/tok").await;
    assert_eq!(answer.text(), "tok.key");
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn http3_goes_to_the_successor_when_its_predecessor_has_ended() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), true).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    proxy.client.put_certificate(&Certified::new("a.test").spec).await.unwrap();
    let mut before = Http3::connect(proxy.https, "a.test").await;
    assert_eq!(before.get("https://a.test/").await.text(), "one");
    let address = proxy.https;
    proxy.client.hand_over().await.unwrap();
    drop(before);
    let directory = proxy.ended().await;
    let mut after = Http3::connect(address, "a.test").await;
    assert_eq!(after.get("https://a.test/").await.text(), "one");
    drop(after);
    next.stop().await;
    drop(directory);
}

/// Takes the admin socket's name, and dies before it serves.
#[derive(Debug)]
struct ShortLived(PathBuf);

impl Successor for ShortLived {
    fn start(&self, socket: OwnedFd) -> io::Result<()> {
        let (mut stream, path) = (UnixStream::from(socket), self.0.clone());
        std::thread::spawn(move || {
            let mut lines = io::BufReader::new(stream.try_clone().unwrap()).lines();
            lines.next().unwrap().unwrap();
            stream.write_all(b"{\"as\":{\"pid\":1}}\n").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), "{}");
            std::fs::remove_file(&path).unwrap();
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        });
        Ok(())
    }

    fn took_over(&self, _pid: u32) {
        panic!("it died");
    }

    fn hangs(&self, _pid: u32) {
        panic!("it died");
    }
}

#[tokio::test]
async fn a_successor_that_dies_at_the_last_moment_changes_nothing() {
    let app = App::start("one").await;
    let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
        config.hand_over.successor = Some(Arc::new(ShortLived(config.admin.path.clone())));
    });
    let proxy = proxy.await.unwrap();
    for _ in 0..2 {
        assert!(matches!(proxy.client.hand_over().await, Err(ProxyClientError::Refused(_))));
        assert_eq!(proxy.client.status().await.unwrap().predecessors, 0, "commands find their way");
    }
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    assert_eq!(proxy.connect().await.get("a.test", "/").await.text(), "one");
    let directory = proxy.stop().await;
    let left: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("sock")), "{left:?}");
}

/// Takes the admin socket's name when it is told to begin, and then hangs until it is ended.
#[derive(Debug)]
struct Hanging {
    path: PathBuf,
    ended: AtomicU64,
    stream: Mutex<Option<UnixStream>>,
}

/// What it says its process is.
const HANGING: u32 = 4321;

impl Successor for Hanging {
    fn start(&self, socket: OwnedFd) -> io::Result<()> {
        let mut stream = UnixStream::from(socket);
        *self.stream.lock().unwrap() = Some(stream.try_clone()?);
        let path = self.path.clone();
        std::thread::spawn(move || {
            let mut lines = io::BufReader::new(stream.try_clone().unwrap()).lines();
            lines.next().unwrap().unwrap();
            writeln!(stream, "{{\"as\":{{\"pid\":{HANGING}}}}}").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), "{}");
            std::fs::remove_file(&path).unwrap();
            let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
            // Its end, which is the end of both directions here.
            assert!(lines.next().is_none_or(|line| line.is_err()));
        });
        Ok(())
    }

    fn took_over(&self, _pid: u32) {
        panic!("it hangs");
    }

    fn hangs(&self, pid: u32) {
        assert_eq!(pid, HANGING);
        self.ended.fetch_add(1, Ordering::SeqCst);
        let stream = self.stream.lock().unwrap().take().unwrap();
        stream.shutdown(std::net::Shutdown::Both).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_successor_that_hangs_is_ended_and_changes_nothing() {
    let app = App::start("one").await;
    let directory = tempfile::tempdir().unwrap();
    let hanging = Arc::new(Hanging {
        path: directory.path().join("proxy.sock"),
        ended: AtomicU64::new(0),
        stream: Mutex::default(),
    });
    let successor = Arc::clone(&hanging);
    let proxy = TestProxy::start_as(directory, limits(), |config| {
        config.hand_over.successor = Some(successor);
        config.hand_over.patience = Duration::from_secs(2);
    });
    let proxy = proxy.await.unwrap();
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    for tries in 1..=2 {
        let client = proxy.client.clone();
        let asked = tokio::spawn(async move { client.hand_over().await });
        assert_eq!(
            proxy.connect().await.get("a.test", "/").await.text(),
            "one",
            "requests do not wait for it"
        );
        let error = within("the end of the hand-over", asked).await.unwrap().unwrap_err();
        assert!(
            matches!(&error, ProxyClientError::Refused(refusal) if refusal.kind == RefusalKind::NotHandedOver),
            "{error:?}"
        );
        assert_eq!(hanging.ended.load(Ordering::SeqCst), tries);
        assert_eq!(proxy.client.status().await.unwrap().predecessors, 0, "commands find their way");
        proxy.put("blog", &format!("b{tries}.test"), &[("c1", app.address)]).await;
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    }
    proxy.stop().await;
}

/// Starts nothing that could take over.
#[derive(Debug)]
struct Hopeless {
    starts: bool,
    tried: AtomicU64,
}

impl Successor for Hopeless {
    fn start(&self, _socket: OwnedFd) -> io::Result<()> {
        self.tried.fetch_add(1, Ordering::SeqCst);
        if self.starts { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn took_over(&self, _pid: u32) {
        panic!("nothing was started");
    }

    fn hangs(&self, _pid: u32) {
        panic!("nothing was started");
    }
}

#[tokio::test]
async fn a_proxy_without_a_successor_goes_on() {
    let app = App::start("one").await;
    for starts in [false, true] {
        let hopeless = Arc::new(Hopeless { starts, tried: AtomicU64::new(0) });
        let successor = Arc::clone(&hopeless);
        let proxy = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
            config.hand_over.successor = Some(successor);
        });
        let proxy = proxy.await.unwrap();
        let error = proxy.client.hand_over().await.unwrap_err();
        assert!(
            matches!(&error, ProxyClientError::Refused(refusal) if refusal.kind == RefusalKind::NotHandedOver),
            "{error:?}"
        );
        assert_eq!(hopeless.tried.load(Ordering::SeqCst), 1);
        proxy.put("blog", "a.test", &[("c1", app.address)]).await;
        let answer = proxy.connect().await.get("a.test", "/").await;
        assert_eq!((answer.text(), answer.header("connection")), ("one".to_owned(), None));
        proxy.stop().await;
    }
    let proxy = TestProxy::start().await;
    assert!(proxy.client.hand_over().await.is_err());
}

#[tokio::test]
async fn a_successor_that_cannot_begin_says_why() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    std::fs::write(proxy.state_file(), r#"{"format":99}"#).unwrap();
    let error = proxy.client.hand_over().await.unwrap_err().to_string();
    assert!(error.contains("table.json has format 99"), "{error}");
    assert_eq!(next.took_over(), 0);
    assert!(matches!(next.last_error().await, ProxyError::Table(_)));
    std::fs::remove_file(proxy.state_file()).unwrap();
    proxy.client.hand_over().await.unwrap();
    proxy.ended().await;
    next.stop().await;
}

#[tokio::test]
async fn the_next_proxy_after_a_crash_finds_the_one_that_still_drains() {
    let (proxy, next) = TestProxy::start_replaceable(limits(), false).await;
    let app = App::start("one").await;
    proxy.put("blog", "a.test", &[("c1", app.address)]).await;
    let mut slow = proxy.connect().await;
    slow.send("GET /gate HTTP/1.1\r\nHost: a.test\r\n\r\n").await;
    until("the slow request", async || app.requests() == 1).await;
    proxy.client.hand_over().await.unwrap();
    // As after a crash nobody answers under the name that everybody knows.
    std::fs::remove_file(proxy.directory.path().join("proxy.sock")).unwrap();
    let third = TestProxy::start_as(tempfile::tempdir().unwrap(), limits(), |config| {
        config.admin.path = proxy.directory.path().join("proxy.sock");
        config.state_file = proxy.directory.path().join("table.json");
    });
    let third = third.await.unwrap();
    assert_eq!(proxy.client.status().await.unwrap().predecessors, 2);
    proxy.client.delete_service("blog").await.unwrap();
    let client = proxy.client.clone();
    let mut wait = tokio::spawn(async move { client.wait_drained("c1", LONG).await.unwrap() });
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut wait).await.is_err());
    app.open_gate();
    assert_eq!(within("the end of the wait", wait).await.unwrap().in_flight_left, 0);
    assert_eq!(slow.answer().await.text(), "one");
    let _directory = proxy.ended().await;
    next.stop().await;
    third.stop().await;
}
