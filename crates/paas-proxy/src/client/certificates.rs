use bytes::Bytes;
use http::Method;

use super::{PATIENCE, ProxyClient, ProxyClientError, encode};
use crate::{
    api::{CertificateOutcome, CertificateSpec, CertificateStatus},
    refusal::Refusal,
    tls::named_host,
};

impl ProxyClient {
    /// Puts a certificate in force for its host. When this returns it is on disk and answers every new handshake; open
    /// connections go on. Putting the same again changes nothing and writes nothing. A chain or key that cannot be read, or
    /// that do not fit, are refused ([`Invalid`](crate::RefusalKind::Invalid)); an expired certificate is not.
    pub async fn put_certificate(
        &self,
        spec: &CertificateSpec,
    ) -> Result<CertificateOutcome, ProxyClientError> {
        self.call(Method::PUT, &path("certificates", &spec.host)?, encode(spec)?, PATIENCE).await
    }

    /// Takes a host's certificate out of force and removes it from the disk. A certificate that is not there is no error.
    pub async fn delete_certificate(&self, host: &str) -> Result<CertificateOutcome, ProxyClientError> {
        self.call(Method::DELETE, &path("certificates", host)?, Bytes::new(), PATIENCE).await
    }

    /// Every certificate in force, by host.
    pub async fn certificates(&self) -> Result<Vec<CertificateStatus>, ProxyClientError> {
        self.call(Method::GET, "/v1/certificates", Bytes::new(), PATIENCE).await
    }
}

/// Hosts stand in the admin API's paths as they are.
fn path(what: &str, host: &str) -> Result<String, Refusal> {
    named_host(host)?;
    Ok(format!("/v1/{what}/{host}"))
}
