use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, client::Resumption, crypto::ring, pki_types::ServerName,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::JoinSet,
    time::Instant,
};
use tokio_rustls::TlsConnector;

use crate::error::BenchError;

/// Clients at one time. Enough that the server always has one waiting.
const CLIENTS: u8 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Full,
    Resumed,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// A stream of connections that shake hands, close in order, and do nothing else.
#[derive(Debug, Clone)]
pub(crate) struct Handshakes {
    pub(crate) kind: Kind,
    pub(crate) version: Version,
    pub(crate) roots: RootCertStore,
    pub(crate) address: SocketAddr,
    /// The names to ask for, in turn.
    pub(crate) names: Arc<Vec<ServerName<'static>>>,
}

impl Handshakes {
    /// How many were made in that time.
    pub(crate) async fn run(&self, time: Duration) -> Result<u64, BenchError> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut clients = JoinSet::new();
        let deadline = Instant::now() + time;
        for place in 0..CLIENTS {
            let client = Client {
                work: self.clone(),
                connector: TlsConnector::from(Arc::new(self.config()?)),
                // An address each, so that none runs out of ports.
                source: Ipv4Addr::new(127, 0, 1, place + 1),
            };
            clients.spawn(client.run(deadline, Arc::clone(&next)));
        }
        let mut all = 0;
        while let Some(ended) = clients.join_next().await {
            all += ended.map_err(|error| BenchError::Handshake(io::Error::other(error)))??;
        }
        Ok(all)
    }

    /// Each client has its own memory of sessions.
    fn config(&self) -> Result<ClientConfig, BenchError> {
        let version = match self.version {
            Version::Tls12 => &rustls::version::TLS12,
            Version::Tls13 => &rustls::version::TLS13,
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if self.kind == Kind::Full {
            config.resumption = Resumption::disabled();
        }
        Ok(config)
    }
}

struct Client {
    work: Handshakes,
    connector: TlsConnector,
    source: Ipv4Addr,
}

impl Client {
    async fn run(self, deadline: Instant, next: Arc<AtomicUsize>) -> Result<u64, BenchError> {
        let names = Arc::clone(&self.work.names);
        let name = || names.get(next.fetch_add(1, Ordering::Relaxed) % names.len()).cloned();
        if self.work.kind == Kind::Resumed
            && let Some(name) = name()
        {
            self.shake(name).await.map_err(BenchError::Handshake)?;
        }
        let mut count = 0;
        while Instant::now() < deadline
            && let Some(name) = name()
        {
            let found = self.shake(name).await.map_err(BenchError::Handshake)?;
            self.check(found)?;
            count += 1;
        }
        Ok(count)
    }

    /// One handshake, read to the end of the connection: a TLS 1.3 server sends its tickets after it.
    async fn shake(&self, name: ServerName<'static>) -> io::Result<Option<HandshakeKind>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.source, 0).into())?;
        let stream = socket.connect(self.work.address).await?;
        let mut stream = self.connector.connect(name, stream).await?;
        let kind = stream.get_ref().1.handshake_kind();
        stream.shutdown().await?;
        let mut byte = [0];
        loop {
            match stream.read(&mut byte).await {
                Ok(0) => return Ok(kind),
                Ok(_) => {}
                // Some servers close without saying goodbye.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                    ) =>
                {
                    return Ok(kind);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn check(&self, found: Option<HandshakeKind>) -> Result<(), BenchError> {
        let (wanted, right) = match self.work.kind {
            Kind::Full => ("full", found == Some(HandshakeKind::Full)),
            Kind::Resumed => ("resumed", found == Some(HandshakeKind::Resumed)),
        };
        if right { Ok(()) } else { Err(BenchError::WrongHandshake { wanted, found }) }
    }
}
