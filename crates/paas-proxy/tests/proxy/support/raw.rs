use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::within;

/// A client's connection, byte for byte.
pub struct Wire<S = TcpStream>(pub BufReader<S>);

/// One HTTP/1.1 answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Reads an answer that is complete in `bytes`.
pub fn parse_answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a header");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: bytes[end + 4..].to_vec() }
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    pub async fn head(&mut self) -> String {
        within("the header of an answer", async {
            let mut head = String::new();
            loop {
                let count = self.0.read_line(&mut head).await.unwrap();
                assert_ne!(count, 0, "closed within the header: {head:?}");
                if head.ends_with("\r\n\r\n") {
                    return head;
                }
            }
        })
        .await
    }

    pub async fn exactly(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        within("bytes", self.0.read_exact(&mut bytes)).await.unwrap();
        bytes
    }

    /// One chunk of a chunked body; empty at its end.
    pub async fn chunk(&mut self) -> Vec<u8> {
        let mut line = String::new();
        within("a chunk", self.0.read_line(&mut line)).await.unwrap();
        let length = usize::from_str_radix(line.trim_end(), 16).unwrap();
        if length == 0 {
            return Vec::new();
        }
        let mut bytes = self.exactly(length + 2).await;
        bytes.truncate(length);
        bytes
    }

    async fn trailers(&mut self) {
        within("the end of a chunked body", async {
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "closed within the trailers");
            }
        })
        .await;
    }

    /// An answer with a `Content-Length` or in chunks.
    pub async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut body = Vec::new();
        if let Some(length) = header(&head, "content-length") {
            body = self.exactly(length.parse().unwrap()).await;
        } else if header(&head, "transfer-encoding").is_some() {
            loop {
                let chunk = self.chunk().await;
                if chunk.is_empty() {
                    break;
                }
                body.extend(chunk);
            }
            self.trailers().await;
        }
        Answer { status, head, body }
    }

    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    pub async fn get(&mut self, host: &str, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await
    }

    /// What is left until the other side closes. A reset counts as closing.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = within("the end of the connection", self.0.read_to_end(&mut bytes)).await;
        bytes
    }
}

/// An app that records what it reads and answers what it is told, one request per connection.
pub struct RawApp {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
    task: JoinHandle<()>,
}

impl RawApp {
    /// Answers every request with the same bytes and keeps the connection open.
    pub async fn start(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let seen_by_app = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, answer, Arc::clone(&seen_by_app)));
            }
        });
        Self { address, seen, task }
    }

    /// The bytes of every request so far.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }
}

impl Drop for RawApp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: &'static [u8], seen: Arc<Mutex<Vec<Vec<u8>>>>) {
    let mut request = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..count]);
        if is_complete(&request) {
            seen.lock().unwrap().push(std::mem::take(&mut request));
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// Whether these bytes are a whole request.
pub(super) fn is_complete(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]);
    let body = &request[end + 4..];
    if header(&head, "transfer-encoding").is_some() {
        return body.windows(5).any(|window| window == b"0\r\n\r\n") || body.ends_with(b"\r\n\r\n");
    }
    header(&head, "content-length").is_none_or(|length| body.len() >= length.parse().unwrap())
}
