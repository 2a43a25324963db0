use bytes::Bytes;
use http::Method;

use super::{PATIENCE, ProxyClient, ProxyClientError, encode};
use crate::{
    admin::Done,
    api::{CertificateOutcome, CertificateSpec, CertificateStatus, ChallengeSpec},
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

impl ProxyClient {
    /// Answers an ACME challenge from now on, for at most an hour. Kept in memory alone; of one host the newest eight.
    pub async fn put_challenge(&self, spec: &ChallengeSpec) -> Result<(), ProxyClientError> {
        let path = path("challenges", &spec.host)?;
        self.call::<Done>(Method::PUT, &path, encode(spec)?, PATIENCE).await.map(drop)
    }

    /// Answers no challenge of a host any more. A host without any is no error.
    pub async fn delete_challenges(&self, host: &str) -> Result<(), ProxyClientError> {
        self.call::<Done>(Method::DELETE, &path("challenges", host)?, Bytes::new(), PATIENCE).await.map(drop)
    }
}

/// Hosts stand in the admin API's paths as they are.
fn path(what: &str, host: &str) -> Result<String, Refusal> {
    named_host(host)?;
    Ok(format!("/v1/{what}/{host}"))
}
