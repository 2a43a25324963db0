//! What is in flight at a switch: it ends on the old version, or at the drain limit.

use std::io::{ErrorKind, Write};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use paas_e2e::{Connection, Http, Response, WebSocket, eventually, is_whole};

use crate::support::{Blog, HEALED};

const TUNNELS: usize = 8;
/// How long after the limit the last tunnel may end: they end one after the other, and each waits a second for an answer.
const TUNNELS_END: Duration = Duration::from_millis(4_500);
/// How much later a busy machine may do it and tell.
const LATE: Duration = Duration::from_secs(3);
const CLOSE: u8 = 8;
/// 1001, the peer is going away.
const GOING_AWAY: [u8; 2] = [0x03, 0xe9];
const PIECES: u32 = 20;
const PIECE: [u8; 16 * 1024] = [b'x'; 16 * 1024];

/// How long things take in this test: as in the promise when the long grids run whole, else a fifth of it.
struct Times {
    /// The drain limit.
    limit: Duration,
    /// What ends just in time.
    long: Duration,
    /// What does not.
    too_long: Duration,
}

impl Times {
    fn new() -> Self {
        let seconds = Duration::from_secs;
        if is_whole() {
            Self { limit: seconds(30), long: seconds(25), too_long: seconds(60) }
        } else {
            Self { limit: seconds(5), long: seconds(4), too_long: seconds(20) }
        }
    }
}

#[test]
fn what_is_in_flight_at_a_switch_ends_on_the_old_version_or_at_the_limit() {
    let times = Times::new();
    let blog = Blog::not_deployed(paas_e2e::ServerOptions::default());
    let limit = times.limit.as_secs();
    let manifest = format!("[deploy]\ndrain_timeout = \"{limit}s\"\n[volumes]\ndata = \"/data\"\n");
    blog.repo.write("paas.toml", &manifest);
    blog.repo.commit_and_push("An app that takes its time").ok();
    blog.admin.app_repo("shop").push().ok();
    let http = blog.http();
    let mut tunnels: Vec<_> = (0..TUNNELS).map(|_| WebSocket::open(http, "blog")).collect();
    let neighbour = Neighbour::start(http);

    blog.commit_that_waits("2");
    let push = blog.repo.push_in_background();
    assert!(push.says_within("Starting", HEALED), "{}", push.printed());
    let too_long = job(http, "stays", times.too_long, Duration::ZERO);
    blog.wait_for_in_flight(TUNNELS as u64 + 1);
    let long = job(http, "waits", times.long, Duration::ZERO);
    let upload = job(http, "uploads", Duration::ZERO, times.long);
    let events = times.long.as_millis() / 100;
    let stream = thread::spawn(move || http.get("blog", &format!("/sse?count={events}&ms=100")).text());
    blog.wait_for_in_flight(TUNNELS as u64 + 4);
    // The switch comes between these two.
    let before = Instant::now();
    blog.let_listen("2");
    eventually("the new version answers", HEALED, || match http.get("blog", "/").text().as_str() {
        "version 2\n" => Ok(()),
        other => Err(other.to_owned()),
    });
    let switched = Instant::now();
    for tunnel in &mut tunnels {
        tunnel.echoes("as long as the old version may live");
    }
    let ends: Vec<_> = tunnels.into_iter().map(|tunnel| thread::spawn(move || end_of(tunnel))).collect();

    for ended in [long, upload] {
        let answer = ended.join().unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (200, "version 1\n"), "{answer:?}");
    }
    let stream = stream.join().unwrap();
    assert!(stream.ends_with(&format!("data: {}\n\n", events - 1)), "{stream}");
    assert!(switched.elapsed() < times.limit, "too slow a machine to tell: {:?}", switched.elapsed());
    let cut = too_long.join().unwrap();
    assert_eq!((cut.status, cut.header("connection")), (504, Some("close")), "{cut:?}");
    let ends_at_limit = |end: Instant, late: Duration| {
        let (longest, shortest) = (end - before, end - switched);
        let at_limit = longest >= times.limit && shortest < times.limit + late;
        assert!(at_limit, "it ended between {shortest:?} and {longest:?} after the switch");
    };
    ends_at_limit(Instant::now(), LATE);

    let ends: Vec<_> = ends.into_iter().map(|end| end.join().unwrap()).collect();
    for end in &ends {
        ends_at_limit(*end, TUNNELS_END + LATE);
    }
    let (first, last) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    assert!(*last - *first > Duration::from_millis(300), "they come back together: {ends:?}");
    push.wait().ok();
    neighbour.stop();
    let jobs = http.get("blog", "/read?name=jobs").text();
    let mut jobs: Vec<_> = jobs.lines().collect();
    jobs.sort_unstable();
    assert_eq!(jobs, ["stays version 1", "uploads version 1", "waits version 1"], "each was done once");
    WebSocket::open(http, "blog").echoes("a tunnel to the new version");
    blog.server.assert_clean();
}

/// POST of something that is done once: what it takes to do it, and what it takes to send it.
fn job(http: Http, id: &'static str, takes: Duration, upload: Duration) -> JoinHandle<Response> {
    thread::spawn(move || {
        let mut stream = http.connect().unwrap().into_stream();
        let (host, ms) = (http.host("blog"), takes.as_millis());
        let head = format!(
            "POST /job?id={id}&ms={ms} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n",
            PIECE.len() * PIECES as usize
        );
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..PIECES {
            stream.write_all(&PIECE).unwrap();
            thread::sleep(upload / PIECES);
        }
        Connection::over(stream).unwrap().receive().unwrap()
    })
}

/// When the close frame came. The connection ends without a reset after it is answered.
fn end_of(mut tunnel: WebSocket) -> Instant {
    let (opcode, payload) = tunnel.receive().expect("a close frame");
    let end = Instant::now();
    assert_eq!((opcode, payload.as_slice()), (CLOSE, &GOING_AWAY[..]));
    tunnel.close(&payload).expect("the close frame can be answered");
    let after = tunnel.receive().expect_err("nothing comes after it");
    assert_eq!(after.kind(), ErrorKind::UnexpectedEof, "{after}");
    end
}

/// Someone with a WebSocket to another app, who says something all the time.
struct Neighbour {
    stop: std::sync::mpsc::Sender<()>,
    thread: JoinHandle<u32>,
}

impl Neighbour {
    fn start(http: Http) -> Self {
        let (stop, stopped) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let mut socket = WebSocket::open(http, "shop");
            let (mut said, mut slowest) = (0, Duration::ZERO);
            while stopped.recv_timeout(Duration::from_millis(20)).is_err() {
                let begin = Instant::now();
                socket.echoes("still there?");
                slowest = slowest.max(begin.elapsed());
                said += 1;
            }
            println!("{said} messages to another app, the slowest took {slowest:?}");
            said
        });
        Self { stop, thread }
    }

    /// Panics if the connection broke meanwhile.
    fn stop(self) {
        self.stop.send(()).expect("the neighbour still speaks");
        assert!(self.thread.join().expect("the neighbour never noticed") > 100);
    }
}
