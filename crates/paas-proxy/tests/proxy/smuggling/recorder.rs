use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::witness::Seen;
use crate::support::until;

/// A backend that takes nothing but what RFC 9112 asks senders for: every line ends in CRLF, every field is a token, a colon and a
/// value, and there is one framing at most. What is else is a violation, and ends its connection.
pub struct Recorder {
    pub address: SocketAddr,
    notes: Arc<Mutex<Notes>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Notes {
    seen: Vec<Seen>,
    unfinished: Vec<Bytes>,
    violations: Vec<String>,
    /// The other ends of connections that have not been read to their end.
    open: HashSet<SocketAddr>,
}

impl Recorder {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let notes = Arc::<Mutex<Notes>>::default();
        let kept = Arc::clone(&notes);
        let task = tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                kept.lock().unwrap().open.insert(peer);
                let notes = Arc::clone(&kept);
                tokio::spawn(async move {
                    serve(stream, &notes).await;
                    notes.lock().unwrap().open.remove(&peer);
                });
            }
        });
        Self { address, notes, task }
    }

    /// Every whole request, in the order of their ends.
    pub fn seen(&self) -> Vec<Seen> {
        self.notes.lock().unwrap().seen.clone()
    }

    /// What came of requests that never got whole, or were none.
    pub fn unfinished(&self) -> Vec<Bytes> {
        self.notes.lock().unwrap().unfinished.clone()
    }

    /// Returns when everything has been read that was sent; whoever sent it has ended.
    pub async fn settled(&self) {
        // The last one in the queue of those that wait to be accepted.
        let last = TcpStream::connect(self.address).await.unwrap();
        let peer = last.local_addr().unwrap();
        until("the last connection", async || self.notes.lock().unwrap().open.contains(&peer)).await;
        drop(last);
        until("the end of all connections", async || self.notes.lock().unwrap().open.is_empty()).await;
    }

    /// What no sender may send.
    pub fn violations(&self) -> Vec<String> {
        self.notes.lock().unwrap().violations.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Why a request was not read.
enum Unread {
    /// The connection ended.
    Ended,
    Violation(String),
}

impl From<std::io::Error> for Unread {
    fn from(_: std::io::Error) -> Self {
        Self::Ended
    }
}

type Read<T> = Result<T, Unread>;

fn violation<T>(what: &str, bytes: &[u8]) -> Read<T> {
    Err(Unread::Violation(format!("{what}: {:?}", String::from_utf8_lossy(bytes))))
}

/// What comes on one connection.
struct Incoming {
    stream: BufReader<TcpStream>,
    /// What was read of the request that is being read.
    begun: Vec<u8>,
}

async fn serve(stream: TcpStream, notes: &Mutex<Notes>) {
    stream.set_nodelay(true).unwrap();
    let mut incoming = Incoming { stream: BufReader::new(stream), begun: Vec::new() };
    loop {
        incoming.begun.clear();
        match request(&mut incoming).await {
            Ok(seen) => {
                let has_body = seen.method != "HEAD";
                notes.lock().unwrap().seen.push(seen);
                let body = if has_body { "ok" } else { "" };
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{body}");
                if incoming.stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Err(unread) => {
                let mut notes = notes.lock().unwrap();
                if !incoming.begun.is_empty() {
                    notes.unfinished.push(incoming.begun.into());
                }
                if let Unread::Violation(violation) = unread {
                    notes.violations.push(violation);
                }
                return;
            }
        }
    }
}

/// How the end of a body is told.
enum Framing {
    Length(usize),
    Chunks,
}

async fn request(incoming: &mut Incoming) -> Read<Seen> {
    let line = line(incoming).await?;
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, b"HTTP/1.1"] = parts[..] else { return violation("a request line", &line) };
    if !is_token(method) || target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return violation("a request line", &line);
    }
    let framing = framing(&fields(incoming).await?)?;
    let body = match framing {
        Framing::Length(length) => exactly(incoming, length).await?,
        Framing::Chunks => chunks(incoming).await?,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Seen { method: text(method), target: text(target), body: Bytes::from(body) })
}

/// A line without its end.
async fn line(incoming: &mut Incoming) -> Read<Vec<u8>> {
    let mut line = Vec::new();
    let read = incoming.stream.read_until(b'\n', &mut line).await;
    incoming.begun.extend_from_slice(&line);
    read?;
    match line.strip_suffix(b"\r\n") {
        Some(text) if !text.contains(&b'\r') => Ok(text.to_vec()),
        _ if !line.ends_with(b"\n") => Err(Unread::Ended),
        _ => violation("a line", &line),
    }
}

async fn exactly(incoming: &mut Incoming, length: usize) -> Read<Vec<u8>> {
    let mut bytes = vec![0; length];
    incoming.stream.read_exact(&mut bytes).await?;
    incoming.begun.extend_from_slice(&bytes);
    Ok(bytes)
}

/// Names and values.
async fn fields(incoming: &mut Incoming) -> Read<Vec<(String, String)>> {
    let mut fields = Vec::new();
    loop {
        let line = line(incoming).await?;
        if line.is_empty() {
            return Ok(fields);
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return violation("a field", &line);
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let printable = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
        if !is_token(name) || !value.iter().all(printable) {
            return violation("a field", &line);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        fields.push((text(name).to_ascii_lowercase(), text(value)));
    }
}

fn framing(fields: &[(String, String)]) -> Read<Framing> {
    let of = |name: &str| -> Vec<&str> {
        fields.iter().filter(|field| field.0 == name).map(|field| field.1.as_str()).collect()
    };
    if of("host").len() != 1 {
        return violation("hosts", format!("{fields:?}").as_bytes());
    }
    match (&of("content-length")[..], &of("transfer-encoding")[..]) {
        ([], []) => Ok(Framing::Length(0)),
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => match length.parse() {
            Ok(length) => Ok(Framing::Length(length)),
            Err(_) => violation("a length", length.as_bytes()),
        },
        ([], ["chunked"]) => Ok(Framing::Chunks),
        _ => violation("framings", format!("{fields:?}").as_bytes()),
    }
}

async fn chunks(incoming: &mut Incoming) -> Read<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(incoming).await?;
        let text =
            std::str::from_utf8(&size).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(length) = text.and_then(|text| usize::from_str_radix(text, 16).ok()) else {
            return violation("a chunk size", &size);
        };
        if length == 0 {
            let trailers = fields(incoming).await?;
            let framing = ["content-length", "transfer-encoding", "host"];
            if trailers.iter().any(|(name, _)| framing.contains(&name.as_str())) {
                return violation("trailers", format!("{trailers:?}").as_bytes());
            }
            return Ok(body);
        }
        let chunk = exactly(incoming, length + 2).await?;
        let Some(data) = chunk.strip_suffix(b"\r\n") else { return violation("a chunk", &chunk) };
        body.extend_from_slice(data);
    }
}

fn is_token(text: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && text.iter().all(token)
}
