use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::{acme_identifier, facts};

const PROTOCOL: &[u8] = b"acme-tls/1";

/// Looks for our own proof in a TLS handshake (RFC 8737 §3).
pub(crate) struct TlsProbe {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) expected: [u8; 32],
    pub(crate) timeout: Duration,
}

impl TlsProbe {
    /// Whether the proof is there.
    pub(crate) async fn look(&self, address: IpAddr) -> bool {
        timeout(self.timeout, self.handshake(address)).await.ok().flatten().unwrap_or(false)
    }

    async fn handshake(&self, address: IpAddr) -> Option<bool> {
        let connection = TcpStream::connect((address, self.port)).await.ok()?;
        let name = ServerName::try_from(self.host.clone()).ok()?;
        let connector = TlsConnector::from(Arc::new(client_config()?));
        let stream = connector.connect(name, connection).await.ok()?;
        let (_, session) = stream.get_ref();
        let certificate = session.peer_certificates()?.first()?;
        Some(session.alpn_protocol() == Some(PROTOCOL) && self.is_expected(certificate))
    }

    fn is_expected(&self, certificate: &CertificateDer<'_>) -> bool {
        let names = facts::CertificateFacts::of(certificate).map(|facts| facts.names).unwrap_or_default();
        names == [self.host.as_str()] && acme_identifier::digest_in(certificate) == Some(self.expected)
    }
}

fn client_config() -> Option<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Some(config)
}

/// Takes any certificate: a challenge's is signed by nobody, and what proves something is the random digest in it. Nothing is sent over such
/// a connection.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
