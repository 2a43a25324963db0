use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{HOST, LOCATION, SERVER, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::cdn;
use crate::text::plain;

/// A key authorization has less than a hundred characters.
const BODY_LIMIT: usize = 4096;
const AGENT: &str = concat!("paas/", env!("CARGO_PKG_VERSION"), " (preflight)");

/// Asks for our own proof over HTTP, as RFC 8555 §8.3 has it but for redirects: nothing of ours redirects a challenge.
pub(crate) struct HttpProbe {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) token: String,
    pub(crate) expected: String,
    pub(crate) timeout: Duration,
}

/// What came back from one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Our own proof.
    Ours,
    /// No connection, or nothing over it.
    Closed(Closed),
    /// Somebody else's answer.
    Stranger(Stranger),
}

/// How a connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Nobody listens.
    Refused,
    /// Nothing came back, which is what firewalls do.
    TimedOut,
    /// This server has no way there.
    Unreachable,
}

/// Who answered instead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stranger {
    /// None for what is not HTTP.
    pub(crate) status: Option<u16>,
    /// What it calls itself.
    pub(crate) server: Option<String>,
    pub(crate) cdn: Option<&'static str>,
    /// It sends everybody to the same name over HTTPS.
    pub(crate) redirects_to_https: bool,
}

impl HttpProbe {
    pub(crate) async fn look(&self, address: IpAddr) -> Answer {
        let connection = match timeout(self.timeout, TcpStream::connect((address, self.port))).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => return Answer::Closed(how(&error)),
            Err(_) => return Answer::Closed(Closed::TimedOut),
        };
        match timeout(self.timeout, self.ask(connection)).await {
            Ok(answer) => answer.unwrap_or_else(|| Answer::Stranger(Stranger::default())),
            Err(_) => Answer::Closed(Closed::TimedOut),
        }
    }

    /// None when what comes back is not an HTTP answer.
    async fn ask(&self, connection: TcpStream) -> Option<Answer> {
        let (mut sender, driver) =
            hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.ok()?;
        let exchange = async {
            let (parts, body) = sender.send_request(self.request()?).await.ok()?.into_parts();
            let body =
                Limited::new(body, BODY_LIMIT).collect().await.map(http_body_util::Collected::to_bytes);
            let ours = parts.status.is_success() && body.is_ok_and(|body| self.is_expected(&body));
            let stranger = || Answer::Stranger(self.stranger(parts.status.as_u16(), &parts.headers));
            Some(if ours { Answer::Ours } else { stranger() })
        };
        // The connection is driven here, so that it ends with the exchange; the other side may end it before we have read what it said.
        let connection_end = async {
            let _ = driver.await;
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = exchange => answer,
            never = connection_end => match never {},
        }
    }

    fn request(&self) -> Option<Request<Empty<Bytes>>> {
        let request = Request::get(format!("/.well-known/acme-challenge/{}", self.token));
        request.header(HOST, &self.host).header(USER_AGENT, AGENT).body(Empty::new()).ok()
    }

    /// RFC 8555 §8.3: white space at the end is ignored.
    fn is_expected(&self, body: &Bytes) -> bool {
        body.trim_ascii_end() == self.expected.as_bytes()
    }

    fn stranger(&self, status: u16, headers: &HeaderMap) -> Stranger {
        let text = |name| headers.get(name).map(|value| plain(&String::from_utf8_lossy(value.as_bytes())));
        let same_host = format!("https://{}", self.host);
        Stranger {
            status: Some(status),
            server: text(SERVER).filter(|server| !server.is_empty()),
            cdn: cdn::of_headers(headers),
            redirects_to_https: text(LOCATION)
                .is_some_and(|to| to.to_ascii_lowercase().starts_with(&same_host)),
        }
    }
}

fn how(error: &io::Error) -> Closed {
    match error.kind() {
        io::ErrorKind::TimedOut => Closed::TimedOut,
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::AddrNotAvailable => Closed::Unreachable,
        _ => Closed::Refused,
    }
}
