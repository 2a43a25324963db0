use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::USER_AGENT};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use instant_acme::{BodyWrapper, Problem};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use time::OffsetDateTime;

use super::{
    AcmeSettingsError,
    http_failure::{Answer, HttpFailure},
    retry_after,
};

/// An answer is never longer: a chain has a few kilobytes.
const BODY_LIMIT: usize = 1 << 20;
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(20);
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("paas/", env!("CARGO_PKG_VERSION"), " (ACME client)"));

/// HTTPS to one authority.
#[derive(Clone)]
pub(crate) struct Https {
    client: Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>,
    time_limit: Duration,
}

impl Https {
    pub(crate) fn new(roots: RootCertStore, time_limit: Duration) -> Result<Self, AcmeSettingsError> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(AcmeSettingsError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Ok(Self { client, time_limit })
    }

    /// Sends a request and reads the whole answer. One that says no is an error, but for a refused nonce: that is for the protocol to repeat.
    pub(crate) async fn send(
        &self,
        mut request: Request<BodyWrapper<Bytes>>,
    ) -> Result<Response<Bytes>, HttpFailure> {
        request.headers_mut().insert(USER_AGENT, AGENT);
        let exchange = async { whole(self.client.request(request).await.map_err(of_client)?).await };
        let limit = self.time_limit;
        let response =
            tokio::time::timeout(limit, exchange).await.map_err(|_| HttpFailure::Timeout(limit))??;
        check(response)
    }
}

async fn whole(response: Response<Incoming>) -> Result<Response<Bytes>, HttpFailure> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(of_body)?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

fn check(response: Response<Bytes>) -> Result<Response<Bytes>, HttpFailure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem: Option<Problem> = serde_json::from_slice(response.body()).ok();
    let answer = Answer {
        status,
        problem,
        retry_after: retry_after::of_headers(response.headers(), OffsetDateTime::now_utc()),
    };
    if status == StatusCode::BAD_REQUEST && answer.problem_type() == "badNonce" {
        return Ok(response);
    }
    Err(HttpFailure::Answer(answer))
}

fn of_client(error: hyper_util::client::legacy::Error) -> HttpFailure {
    if error.is_connect() { HttpFailure::Connect(error) } else { HttpFailure::Cut(Box::new(error)) }
}

fn of_body(error: Box<dyn std::error::Error + Send + Sync>) -> HttpFailure {
    if error.is::<LengthLimitError>() { HttpFailure::TooLarge(BODY_LIMIT) } else { HttpFailure::Cut(error) }
}
