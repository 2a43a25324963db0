use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use paas_acme::{Challenge, Proof, SolveError, Solver};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring::{default_provider, sign::any_supported_type},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Answers HTTP-01 and TLS-ALPN-01 challenges at one address.
pub struct Responder {
    shown: Arc<Mutex<Shown>>,
    http_port: u16,
    tls_port: u16,
    // Ends with the responder.
    _servers: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shown {
    /// Key authorizations by host and token.
    files: HashMap<(String, String), String>,
    /// Digests by host.
    digests: HashMap<String, [u8; 32]>,
    presented: usize,
    removed: usize,
    refusal: Option<String>,
}

impl Responder {
    /// Listens at free ports of this address.
    pub async fn start(address: IpAddr) -> Self {
        let shown = Arc::<Mutex<Shown>>::default();
        let (http, tls) = tokio::join!(TcpListener::bind((address, 0)), TcpListener::bind((address, 0)));
        let (http, tls) = (http.unwrap(), tls.unwrap());
        let (http_port, tls_port) = (http.local_addr().unwrap().port(), tls.local_addr().unwrap().port());
        let mut servers = JoinSet::new();
        servers.spawn(serve_http(http, Arc::clone(&shown)));
        servers.spawn(serve_tls(tls, Arc::clone(&shown)));
        Self { shown, http_port, tls_port, _servers: servers }
    }

    /// Where it answers HTTP-01.
    pub fn http_port(&self) -> u16 {
        self.http_port
    }

    /// Where it answers TLS-ALPN-01.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// How many proofs are shown at the moment.
    pub fn shown(&self) -> usize {
        let shown = self.shown.lock().unwrap();
        shown.files.len() + shown.digests.len()
    }

    /// How often a proof was presented.
    pub fn presented(&self) -> usize {
        self.shown.lock().unwrap().presented
    }

    /// How often a proof was removed.
    pub fn removed(&self) -> usize {
        self.shown.lock().unwrap().removed
    }

    /// Refuses to show anything, with this sentence.
    pub fn refuse(&self, sentence: &str) {
        self.shown.lock().unwrap().refusal = Some(sentence.to_owned());
    }
}

#[async_trait]
impl Solver for Responder {
    async fn present(&self, challenge: &Challenge) -> Result<(), SolveError> {
        let mut shown = self.shown.lock().unwrap();
        if let Some(refusal) = &shown.refusal {
            return Err(SolveError::new(refusal));
        }
        shown.presented += 1;
        let host = challenge.host.to_string();
        match &challenge.proof {
            Proof::Http01 { token, key_authorization } => {
                shown.files.insert((host, token.clone()), key_authorization.clone());
            }
            Proof::TlsAlpn01 { digest } => {
                shown.digests.insert(host, *digest);
            }
            Proof::Dns01 { .. } => return Err(SolveError::new("this responder has no DNS")),
        }
        Ok(())
    }

    async fn remove(&self, challenge: &Challenge) {
        let mut shown = self.shown.lock().unwrap();
        shown.removed += 1;
        let host = challenge.host.to_string();
        match &challenge.proof {
            Proof::Http01 { token, .. } => {
                shown.files.remove(&(host, token.clone()));
            }
            Proof::TlsAlpn01 { .. } => {
                shown.digests.remove(&host);
            }
            Proof::Dns01 { .. } => {}
        }
    }
}

async fn serve_http(listener: TcpListener, shown: Arc<Mutex<Shown>>) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let shown = Arc::clone(&shown);
        connections.spawn(async move {
            let service = service_fn(|request| std::future::ready(shown.lock().unwrap().answer(&request)));
            // A client that goes away is no matter.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

impl Shown {
    fn answer(&self, request: &Request<Incoming>) -> Result<Response<Full<Bytes>>, http::Error> {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_owned();
        let token = request.uri().path().strip_prefix("/.well-known/acme-challenge/").unwrap_or_default();
        match self.files.get(&(host, token.to_owned())) {
            Some(text) => Response::builder().body(Full::from(text.clone())),
            None => Response::builder().status(StatusCode::NOT_FOUND).body(Full::from("nothing here")),
        }
    }
}

async fn serve_tls(listener: TcpListener, shown: Arc<Mutex<Shown>>) {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByName(shown)));
    config.alpn_protocols = vec![b"acme-tls/1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            // RFC 8737 §3: the handshake is all there is.
            let _ = acceptor.accept(connection).await;
        });
    }
}

#[derive(Debug)]
struct ByName(Arc<Mutex<Shown>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name()?.to_owned();
        let digest = *self.0.lock().unwrap().digests.get(&host)?;
        let mut params = CertificateParams::new(vec![host]).unwrap();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(&digest)];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        // `CertifiedKey::from_der` would refuse the critical extension it does not know.
        Some(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], any_supported_type(&key).unwrap())))
    }
}
