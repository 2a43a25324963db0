use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::{
    memory,
    support::{TestProxy, Wire, header, within},
};

const PIECE: u64 = 64 * 1024;
/// How much more than before may be occupied at any moment while a body passes.
const MOST: usize = 8 * 1024 * 1024;
/// How often a receiver rests on its way through a body.
const RESTS: u64 = 4;
/// A sender that could send nothing for so long has been stopped. Too short a time on a busy machine only makes a rest a short one.
const STILL: Duration = Duration::from_millis(100);

/// As large a body as the proxy lets pass by default.
fn length() -> u64 {
    if std::env::var("PAAS_TEST_ALL").is_ok_and(|value| value == "1") { 1 << 30 } else { 256 << 20 }
}

/// What a body's sender and its receiver tell each other past the proxy.
#[derive(Default)]
struct Aside {
    sent: AtomicU64,
    /// What was sent before the body that is on its way.
    before: AtomicU64,
    first_came: Notify,
}

impl Aside {
    async fn send(&self, to: &mut (impl AsyncWrite + Unpin), length: u64) {
        let piece = vec![b'x'; usize::try_from(PIECE).unwrap()];
        let mut left = length;
        while left > 0 {
            let most = usize::try_from(left.min(PIECE)).unwrap();
            let count = to.write(&piece[..most]).await.unwrap() as u64;
            self.sent.fetch_add(count, Ordering::SeqCst);
            left -= count;
        }
    }

    /// A body follows. Before anything asks for it, as its receiver may be slow to begin.
    fn announce(&self) {
        self.before.store(self.sent.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Reads a body and no more. Now and then it takes nothing until the sender cannot go on: whatever the proxy is ready to hold, it
    /// holds then.
    async fn receive(&self, from: &mut (impl AsyncRead + Unpin), length: u64) {
        let mut buffer = vec![0; usize::try_from(PIECE).unwrap()];
        let before = self.before.load(Ordering::SeqCst);
        let (mut received, mut rests) = (0, 0);
        while received < length {
            if received >= length * rests / RESTS {
                rests += 1;
                self.until_the_sender_is_stopped().await;
                // What was written is counted a moment later.
                let way = self.sent.load(Ordering::SeqCst).saturating_sub(before + received);
                // The buffers of the kernel are far smaller than that.
                assert!(
                    length < RESTS * PIECE || way < length / RESTS,
                    "nobody stops the sender: {way} bytes are on their way"
                );
            }
            let most = usize::try_from((length - received).min(PIECE)).unwrap();
            let count = within("bytes", from.read(&mut buffer[..most])).await.unwrap() as u64;
            assert_ne!(count, 0, "cut after {received} bytes");
            received += count;
        }
    }

    async fn until_the_sender_is_stopped(&self) {
        loop {
            let before = self.sent.load(Ordering::SeqCst);
            tokio::time::sleep(STILL).await;
            if self.sent.load(Ordering::SeqCst) == before {
                return;
            }
        }
    }

    /// Answers a GET with as many bytes as its path says, but sends only one before that has come to the client. Takes other requests
    /// with their bodies.
    async fn serve(&self, stream: TcpStream) {
        let mut wire = Wire::over(stream);
        loop {
            let head = wire.head().await;
            if let Some(path) = head.strip_prefix("GET /") {
                let length: u64 = path.split(' ').next().unwrap().parse().unwrap();
                wire.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nx")).await;
                within("the first byte of an answer", self.first_came.notified()).await;
                self.send(&mut wire.0, length - 1).await;
            } else {
                let length = header(&head, "content-length").unwrap().parse().unwrap();
                self.receive(&mut wire.0, length).await;
                wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            }
        }
    }

    async fn download(&self, wire: &mut Wire, length: u64) {
        self.announce();
        wire.send(format!("GET /{length} HTTP/1.1\r\nHost: a.test\r\n\r\n")).await;
        assert!(wire.head().await.starts_with("HTTP/1.1 200 "));
        wire.exactly(1).await;
        self.first_came.notify_one();
        self.receive(&mut wire.0, length - 1).await;
    }

    async fn upload(&self, wire: &mut Wire, length: u64) {
        self.announce();
        wire.send(format!("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: {length}\r\n\r\n")).await;
        self.send(&mut wire.0, length).await;
        assert_eq!(wire.answer().await.status, 200);
    }
}

/// A proxy before an app, and a client's connection.
async fn start() -> (TestProxy, Arc<Aside>, Wire) {
    let proxy = TestProxy::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    proxy.put("blog", "a.test", &[("c1", listener.local_addr().unwrap())]).await;
    let aside = Arc::new(Aside::default());
    let app = Arc::clone(&aside);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let app = Arc::clone(&app);
            tokio::spawn(async move { app.serve(stream).await });
        }
    });
    let wire = proxy.connect().await;
    (proxy, aside, wire)
}

/// What this process occupies; from now on the most it does is counted anew.
fn begin() -> usize {
    // 5 is that (proc(5)).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    memory("VmRSS:")
}

/// How much more than before it occupied at most.
fn grown(before: usize) -> usize {
    memory("VmHWM:").saturating_sub(before)
}

#[tokio::test]
async fn a_large_download_takes_no_memory() {
    let (_proxy, aside, mut wire) = start().await;
    aside.download(&mut wire, PIECE).await;
    let before = begin();
    aside.download(&mut wire, length()).await;
    let grown = grown(before);
    println!("at most {grown} bytes more while {} passed", length());
    assert!(grown < MOST, "{grown} bytes more while {} passed", length());
}

#[tokio::test]
async fn a_large_upload_takes_no_memory() {
    let (_proxy, aside, mut wire) = start().await;
    aside.upload(&mut wire, PIECE).await;
    let before = begin();
    aside.upload(&mut wire, length()).await;
    let grown = grown(before);
    println!("at most {grown} bytes more while {} passed", length());
    assert!(grown < MOST, "{grown} bytes more while {} passed", length());
}
