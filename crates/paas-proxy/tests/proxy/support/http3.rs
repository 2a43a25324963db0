use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
};

use bytes::{Buf, Bytes, BytesMut};
use h3::client::{RequestStream, SendRequest};
use http::{HeaderMap, Request, Response};
use paas_proxy::{Limits, ProxyConfig};
use quinn::crypto::rustls::QuicClientConfig;
use tokio::task::JoinHandle;

use super::{Client, TestProxy, limits, within};

pub type Http3Stream = RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;
pub type StreamError = h3::error::StreamError;

/// An HTTP/3 connection for a name.
pub struct Http3 {
    pub quic: quinn::Connection,
    pub sender: SendRequest<h3_quinn::OpenStreams, Bytes>,
    driver: JoinHandle<()>,
    _endpoint: quinn::Endpoint,
}

impl TestProxy {
    /// With HTTP/3.
    pub async fn start_http3() -> Self {
        Self::start_http3_with(limits()).await
    }

    pub async fn start_http3_with(limits: Limits) -> Self {
        let (directory, kept) = (tempfile::tempdir().unwrap(), Kept::bind());
        Self::start_as(directory, limits, |config| kept.give_to(config)).await.unwrap()
    }
}

/// The sockets of HTTPS as a service manager keeps them.
pub struct Kept {
    tcp: TcpListener,
    udp: UdpSocket,
    pub address: SocketAddr,
}

impl Kept {
    pub fn bind() -> Self {
        // Another process may have the port of the other protocol.
        let pair = || {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = tcp.local_addr().unwrap();
            UdpSocket::bind(address).ok().map(|udp| Self { tcp, udp, address })
        };
        (0..100).find_map(|_| pair()).unwrap()
    }

    pub fn into_parts(self) -> (TcpListener, UdpSocket) {
        (self.tcp, self.udp)
    }

    /// A proxy on them.
    pub async fn start(&self, directory: tempfile::TempDir) -> TestProxy {
        TestProxy::start_as(directory, limits(), |config| self.give_to(config)).await.unwrap()
    }

    /// HTTP/3 and HTTPS on them, and HTTP on another.
    pub fn give_to(&self, config: &mut ProxyConfig) {
        config.http3 = true;
        config.https = vec![self.address];
        config.inherited = vec![self.tcp.try_clone().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
        config.inherited_udp = vec![self.udp.try_clone().unwrap()];
    }
}

/// A QUIC connection without HTTP on it.
pub async fn quic(address: SocketAddr, name: &str) -> Result<(quinn::Endpoint, quinn::Connection), String> {
    let tls = rustls::ClientConfig::clone(&Client::new(&["h3"]).0);
    let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let endpoint = quinn::Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    let connecting = endpoint.connect_with(config, address, name).map_err(|error| error.to_string())?;
    let connection = within("the QUIC handshake", connecting).await.map_err(|error| error.to_string())?;
    Ok((endpoint, connection))
}

impl Http3 {
    pub async fn connect(address: SocketAddr, name: &str) -> Self {
        let (endpoint, quic) = quic(address, name).await.unwrap();
        let (mut connection, sender) =
            h3::client::new(h3_quinn::Connection::new(quic.clone())).await.unwrap();
        let driver = tokio::spawn(async move {
            std::future::poll_fn(|cx| connection.poll_close(cx)).await;
        });
        Self { quic, sender, driver, _endpoint: endpoint }
    }

    pub async fn open(&mut self, request: Request<()>) -> Http3Stream {
        within("a stream", self.sender.send_request(request)).await.unwrap()
    }

    /// Sends a request whole; gives the answer, its body and its trailers.
    pub async fn ask(&mut self, request: Request<()>, body: &[u8]) -> Result<Answered, StreamError> {
        let mut stream = self.sender.send_request(request).await?;
        if !body.is_empty() {
            stream.send_data(Bytes::copy_from_slice(body)).await?;
        }
        stream.finish().await?;
        let response = within("the header", stream.recv_response()).await?;
        let mut bytes = BytesMut::new();
        while let Some(data) = within("data", stream.recv_data()).await? {
            bytes.extend_from_slice(&collect(data));
        }
        let trailers = within("trailers", stream.recv_trailers()).await?;
        Ok(Answered { response, body: bytes.freeze(), trailers })
    }

    pub async fn get(&mut self, url: &str) -> Answered {
        self.ask(Request::get(url).body(()).unwrap(), b"").await.unwrap()
    }
}

impl Drop for Http3 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

#[derive(Debug)]
pub struct Answered {
    pub response: Response<()>,
    pub body: Bytes,
    pub trailers: Option<HeaderMap>,
}

impl Answered {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The bytes of a piece.
pub fn collect(mut data: impl Buf) -> Bytes {
    data.copy_to_bytes(data.remaining())
}
