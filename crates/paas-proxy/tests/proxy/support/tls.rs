use std::{net::SocketAddr, sync::Arc};

use paas_proxy::CertificateSpec;
use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedProtocolVersion,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Wire, within};

pub type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// A certificate as somebody gives it to the proxy.
pub struct Certified {
    pub spec: CertificateSpec,
    pub leaf: Vec<u8>,
}

impl Certified {
    /// A new self-signed one that browsers are said to trust.
    pub fn new(host: &str) -> Self {
        Self::made(host, |_| ())
    }

    pub fn made(host: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        adjust(&mut params);
        let certificate = params.self_signed(&key).unwrap();
        let spec = CertificateSpec {
            host: host.to_owned(),
            chain: certificate.pem(),
            key: key.serialize_pem().into(),
            trusted: true,
        };
        Self { spec, leaf: certificate.der().to_vec() }
    }

    /// One for several hosts, as it is put for the first.
    pub fn of_all(hosts: &[&str]) -> Self {
        let names = hosts.iter().map(|&name| SanType::DnsName(name.try_into().unwrap())).collect();
        Self::made(hosts[0], |params| params.subject_alt_names = names)
    }

    /// The same certificate, put for another host.
    pub fn put_for(&self, host: &str) -> CertificateSpec {
        CertificateSpec { host: host.to_owned(), ..self.spec.clone() }
    }
}

/// Which versions a client speaks.
#[derive(Clone, Copy)]
pub enum Versions {
    Both,
    Tls12,
}

/// A client that takes any certificate and remembers its sessions.
pub struct Client(pub Arc<ClientConfig>);

impl Client {
    pub fn new(alpn: &[&str]) -> Self {
        Self::speaking(alpn, Versions::Both)
    }

    pub fn speaking(alpn: &[&str], versions: Versions) -> Self {
        let versions: &[&'static SupportedProtocolVersion] = match versions {
            Versions::Both => rustls::ALL_VERSIONS,
            Versions::Tls12 => &[&rustls::version::TLS12],
        };
        Self::trusting(alpn, versions, true)
    }

    /// One that does not look at the certificate at all: the usual check knows no certificates of challenges.
    pub fn blind(alpn: &[&str]) -> Self {
        Self::trusting(alpn, rustls::ALL_VERSIONS, false)
    }

    fn trusting(alpn: &[&str], versions: &[&'static SupportedProtocolVersion], check: bool) -> Self {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything { provider, check }))
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self(Arc::new(config))
    }

    /// `name` is sent as SNI unless it is an IP address.
    pub async fn try_connect(&self, address: SocketAddr, name: &str) -> std::io::Result<TlsStream> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        within("the handshake", TlsConnector::from(Arc::clone(&self.0)).connect(name, stream)).await
    }

    pub async fn connect(&self, address: SocketAddr, name: &str) -> TlsStream {
        self.try_connect(address, name).await.unwrap()
    }

    pub async fn wire(&self, address: SocketAddr, name: &str) -> Wire<TlsStream> {
        Wire::over(self.connect(address, name).await)
    }

    /// The certificate that answers for a name.
    pub async fn leaf(&self, address: SocketAddr, name: &str) -> Vec<u8> {
        leaf(&self.connect(address, name).await)
    }
}

pub fn leaf(stream: &TlsStream) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

/// Checks signatures, so that key and certificate must fit, or nothing; trusts everybody.
#[derive(Debug)]
struct Anything {
    provider: Arc<CryptoProvider>,
    check: bool,
}

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.check {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.check {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
