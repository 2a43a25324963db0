//! One health probe: an HTTP request straight to a container.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

/// One probe may take this long; an app that is slower than that to say it is up is not up.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a container answered to a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An HTTP answer.
    Status(StatusCode, Option<String>),
    /// Nobody listens.
    Refused,
    /// It did not answer in time.
    Silent,
    /// It answered something that is not HTTP, or hung up.
    Broken(String),
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        matches!(self, Self::Status(status, _) if status.is_success())
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Status(StatusCode::NOT_FOUND, _))
    }

    /// Whether an app without a health path is up: it answers, and does not say that it is broken.
    pub(crate) fn is_below_500(&self) -> bool {
        matches!(self, Self::Status(status, _) if !status.is_server_error())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status, Some(location)) => write!(f, "{} → {location}", status.as_u16()),
            Self::Status(status, None) => write!(f, "{status}"),
            Self::Refused => f.write_str("connection refused"),
            Self::Silent => write!(f, "no answer within {} s", PROBE_TIMEOUT.as_secs()),
            Self::Broken(why) => write!(f, "not an HTTP answer ({why})"),
        }
    }
}

/// Asks for `path` once.
pub(crate) async fn probe(address: Ipv4Addr, port: u16, host: &str, path: &str) -> Answer {
    match timeout(PROBE_TIMEOUT, ask((address, port).into(), host, path)).await {
        Ok(answer) => answer,
        Err(_) => Answer::Silent,
    }
}

async fn ask(address: SocketAddr, host: &str, path: &str) -> Answer {
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Answer::Refused,
        Err(error) => return Answer::Broken(error.to_string()),
    };
    let request = Request::get(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, concat!("paas/", env!("CARGO_PKG_VERSION"), " health check"))
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new());
    let request = match request {
        Ok(request) => request,
        Err(error) => return Answer::Broken(error.to_string()),
    };
    let exchange = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let answer = sender.send_request(request);
        tokio::pin!(answer, connection);
        tokio::select! {
            answer = &mut answer => answer,
            closed = &mut connection => match closed {
                Ok(()) => answer.await,
                Err(error) => Err(error),
            },
        }
    };
    match exchange.await {
        Ok(response) => {
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            Answer::Status(response.status(), location.map(ToOwned::to_owned))
        }
        Err(error) => Answer::Broken(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    async fn answer_of(reply: &'static [u8]) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(reply).await.unwrap();
        });
        probe(Ipv4Addr::LOCALHOST, port, "blog.example.org", "/up").await
    }

    #[tokio::test]
    async fn answers_are_told_apart() {
        assert!(answer_of(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_success());
        assert!(answer_of(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await.is_not_found());
        let redirect =
            answer_of(b"HTTP/1.1 301 Moved\r\nlocation: https://x/up\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!(redirect.to_string(), "301 → https://x/up");
        assert!(matches!(answer_of(b"hello\r\n\r\n").await, Answer::Broken(_)));
        assert!(matches!(answer_of(b"").await, Answer::Broken(_)));
    }

    #[tokio::test]
    async fn a_closed_port_is_refused() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        assert_eq!(probe(Ipv4Addr::LOCALHOST, port, "x", "/").await, Answer::Refused);
    }
}
