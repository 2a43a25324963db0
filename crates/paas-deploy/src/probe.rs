//! One health probe: an HTTP request straight to a container.

use std::{fmt, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    client::conn::{http1, http2},
    header,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use paas_domain::WebProtocol;
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

/// How a container is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) protocol: WebProtocol,
    /// What stands in `Host`.
    pub(crate) host: &'a str,
}

impl Probe<'_> {
    /// Asks for `path` once.
    pub(crate) async fn ask(self, path: &str) -> Answer {
        timeout(PROBE_TIMEOUT, ask(self, path)).await.unwrap_or(Answer::Silent)
    }
}

fn request(
    protocol: WebProtocol,
    host: &str,
    path: &str,
) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let builder = match protocol {
        WebProtocol::Http1 => {
            Request::get(path).header(header::HOST, host).header(header::CONNECTION, "close")
        }
        WebProtocol::H2c => Request::get(format!("http://{host}{path}")),
    };
    builder
        .header(header::USER_AGENT, concat!("paas/", env!("CARGO_PKG_VERSION"), " health check"))
        .body(Empty::new())
}

/// Both in one task, so that dropping the probe closes the connection.
async fn drive(
    connection: impl Future<Output = hyper::Result<()>>,
    answer: impl Future<Output = hyper::Result<Response<Incoming>>>,
) -> hyper::Result<Response<Incoming>> {
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        closed = &mut connection => match closed {
            Ok(()) => answer.await,
            Err(error) => Err(error),
        },
    }
}

async fn ask(probe: Probe<'_>, path: &str) -> Answer {
    let Probe { address, protocol, host } = probe;
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => return Answer::Refused,
        Err(error) => return Answer::Broken(error.to_string()),
    };
    let request = match request(protocol, host, path) {
        Ok(request) => request,
        Err(error) => return Answer::Broken(error.to_string()),
    };
    let io = TokioIo::new(stream);
    let exchanged = match protocol {
        WebProtocol::Http1 => match http1::handshake(io).await {
            Ok((mut sender, connection)) => drive(connection, sender.send_request(request)).await,
            Err(error) => Err(error),
        },
        WebProtocol::H2c => match http2::handshake(TokioExecutor::new(), io).await {
            Ok((mut sender, connection)) => drive(connection, sender.send_request(request)).await,
            Err(error) => Err(error),
        },
    };
    match exchanged {
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

    fn probe(port: u16, protocol: WebProtocol) -> Probe<'static> {
        Probe { address: ([127, 0, 0, 1], port).into(), protocol, host: "blog.example.org" }
    }

    #[tokio::test]
    async fn a_process_that_speaks_http2_alone_is_asked_in_http2() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = hyper::service::service_fn(|request: Request<Incoming>| async move {
                    assert_eq!(request.uri().host(), Some("blog.example.org"));
                    Ok::<_, std::convert::Infallible>(Response::new(Empty::<Bytes>::new()))
                });
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(server.serve_connection(TokioIo::new(stream), answer));
            }
        });
        assert!(probe(port, WebProtocol::H2c).ask("/up").await.is_success());
        assert!(matches!(probe(port, WebProtocol::Http1).ask("/up").await, Answer::Broken(_)));
    }

    async fn answer_of(reply: &'static [u8]) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(reply).await.unwrap();
        });
        probe(port, WebProtocol::Http1).ask("/up").await
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
        assert_eq!(probe(port, WebProtocol::Http1).ask("/").await, Answer::Refused);
    }
}
