//! A client of HTTP/2 over TLS that hides nothing: a request that was sent is never sent again.

use std::io;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

use crate::http::{HttpError, Response};
use crate::https::Https;

const TIMEOUT: Duration = Duration::from_mins(1);

/// Drives all connections, so that what the server says between two requests is heard.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime for HTTP/2")
});

/// One connection to the proxy's TLS port, on which one request follows the other.
#[derive(Debug)]
pub(crate) struct Http2 {
    sender: SendRequest<Full<Bytes>>,
    origin: String,
}

impl Http2 {
    /// Shakes hands for a host.
    pub(crate) fn connect(https: &Https, host: &str) -> Result<Self, HttpError> {
        RUNTIME.block_on(within(Self::open(https, host))).map_err(HttpError::Connect)
    }

    async fn open(https: &Https, host: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", https.port())).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(https.tls())).connect(name, stream).await?;
        let (sender, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // Its end is seen by whoever sends next.
        tokio::spawn(connection);
        Ok(Self { sender, origin: format!("https://{host}:{}", https.port()) })
    }

    /// Whether another request may be sent: the server has not said that it goes.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends one request and reads the whole answer. `Ok(None)` when the server had said that it goes, and nothing was sent.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Option<Response>, HttpError> {
        let uri: Uri = format!("{}{path}", self.origin).parse().expect("a URI");
        let request =
            Request::builder().method(method).uri(uri).body(Full::new(Bytes::copy_from_slice(body)));
        RUNTIME.block_on(self.exchange(request.expect("a request")))
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Option<Response>, HttpError> {
        if self.sender.ready().await.is_err() {
            return Ok(None);
        }
        let sent = within(async { Ok(self.sender.try_send_request(request).await) }).await;
        let answer = match sent.map_err(HttpError::NoAnswer)? {
            Ok(answer) => answer,
            // The request is given back when no byte of it was sent.
            Err(mut error) => match error.take_message() {
                Some(_) => return Ok(None),
                None => return Err(HttpError::NoAnswer(io::Error::other(error.into_error()))),
            },
        };
        let (head, body) = answer.into_parts();
        let body = within(async { body.collect().await.map_err(io::Error::other) }).await;
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Ok(Some(Response {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: body.map_err(HttpError::Broken)?.to_bytes().to_vec(),
        }))
    }
}

async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(TIMEOUT, step).await.map_err(io::Error::other)?
}
