use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use time::OffsetDateTime;

use crate::{
    admin::Predecessors,
    api::{CertificateSpec, ChallengeSpec, DrainOutcome, HandOverOutcome, ProxyStatus, ServiceSpec},
    refusal::{Refusal, RefusalKind},
    shared::Shared,
    spec_check::check_id,
};

/// The largest command: a service with all the pages it may have.
const MAX_BODY: usize = 8 * 1024 * 1024;

const HAND_OVER: &str = "/v1/hand-over";

/// The body of a drain command.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DrainRequest {
    pub(crate) timeout_ms: u64,
}

/// The answer to a command that has nothing to tell.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {}

/// Carries out commands.
#[derive(Debug)]
pub(crate) struct Admin {
    shared: Arc<Shared>,
    predecessors: Predecessors,
    started_at: OffsetDateTime,
}

impl Admin {
    pub(crate) fn new(shared: Arc<Shared>, predecessors: Predecessors) -> Self {
        Self { shared, predecessors, started_at: OffsetDateTime::now_utc() }
    }

    /// Whether a request asks for a hand-over.
    pub(crate) fn is_hand_over(request: &Request<Incoming>) -> bool {
        request.uri().path() == HAND_OVER
    }

    pub(crate) fn predecessors(&self) -> &Predecessors {
        &self.predecessors
    }

    pub(crate) async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.route(request).await.unwrap_or_else(|refusal| json(status_of(&refusal.kind), &refusal))
    }

    async fn route(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        match (request.method(), segments.as_slice()) {
            (&Method::POST, ["v1", "alone", "targets", id, "drain"]) => self.drain_alone(id, request).await,
            (&Method::POST, ["v1", "alone", "follow"]) => {
                self.shared.registry.follow().await.map_err(|error| Refusal::of(&error))?;
                Ok(json(StatusCode::OK, &Done {}))
            }
            (&Method::POST, ["v1", "alone", "end"]) => Ok(self.end().await),
            _ if self.shared.giver.moved.is_cancelled() => Err(Refusal::moved()),
            (&Method::POST, _) if path == HAND_OVER => self.hand_over().await,
            (&Method::GET, ["v1", "status"]) => Ok(json(StatusCode::OK, &self.status().await)),
            (&Method::GET, ["v1", "metrics"]) => Ok(json(StatusCode::OK, &self.shared.metrics())),
            (&Method::GET, ["v1", "services"]) => Ok(json(StatusCode::OK, &self.shared.registry.services())),
            (&Method::PUT, ["v1", "services", name]) => self.put(name, request).await,
            (&Method::DELETE, ["v1", "services", name]) => self.delete(name).await,
            (&Method::GET, ["v1", "certificates"]) => {
                Ok(json(StatusCode::OK, &self.shared.certificates.list()))
            }
            (&Method::PUT, ["v1", "certificates", host]) => self.put_certificate(host, request).await,
            (&Method::DELETE, ["v1", "certificates", host]) => self.delete_certificate(host).await,
            (&Method::PUT, ["v1", "challenges", host]) => self.put_challenge(host, request).await,
            (&Method::DELETE, ["v1", "challenges", host]) => {
                let _turn = self.shared.registry.turn().await?;
                self.shared.challenges.delete(host)?;
                Ok(json(StatusCode::OK, &Done {}))
            }
            (&Method::POST, ["v1", "targets", id, "drain"]) => self.drain(id, request).await,
            (method, _) => Err(Refusal::invalid(format!("there is no command {method} {path}"))),
        }
    }

    async fn status(&self) -> ProxyStatus {
        let table = self.shared.registry.table();
        ProxyStatus {
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: table.generation,
            services: table.services.len(),
            draining: self.shared.registry.draining(),
            predecessors: self.predecessors.count().await,
            started_at: self.started_at,
        }
    }

    async fn put(
        self: Arc<Self>,
        name: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let spec: ServiceSpec = body(request).await?;
        check_path("service", name, &spec.name)?;
        let change = async move {
            let outcome = self.shared.registry.put(spec).await?;
            self.predecessors.follow().await;
            Ok(outcome)
        };
        let outcome = to_the_end(change).await?;
        Ok(json(StatusCode::OK, &outcome))
    }

    async fn delete(self: Arc<Self>, name: &str) -> Result<Response<Full<Bytes>>, Refusal> {
        check_id("service name", name)?;
        let name = name.to_owned();
        let change = async move {
            let outcome = self.shared.registry.delete(&name).await?;
            self.predecessors.follow().await;
            Ok(outcome)
        };
        let outcome = to_the_end(change).await?;
        Ok(json(StatusCode::OK, &outcome))
    }

    async fn put_certificate(
        self: Arc<Self>,
        host: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let spec: CertificateSpec = body(request).await?;
        check_path("host", host, &spec.host)?;
        let outcome = to_the_end(async move { self.shared.certificates.put(spec).await }).await?;
        Ok(json(StatusCode::OK, &outcome))
    }

    async fn delete_certificate(self: Arc<Self>, host: &str) -> Result<Response<Full<Bytes>>, Refusal> {
        let host = host.to_owned();
        let outcome = to_the_end(async move { self.shared.certificates.delete(&host).await }).await?;
        Ok(json(StatusCode::OK, &outcome))
    }

    async fn put_challenge(
        &self,
        host: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let spec: ChallengeSpec = body(request).await?;
        check_path("host", host, &spec.host)?;
        let _turn = self.shared.registry.turn().await?;
        self.shared.challenges.put(spec)?;
        Ok(json(StatusCode::OK, &Done {}))
    }

    async fn drain(&self, id: &str, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Refusal> {
        let DrainRequest { timeout_ms } = body(request).await?;
        let timeout = Duration::from_millis(timeout_ms);
        let waited = async {
            tokio::try_join!(
                self.shared.registry.wait_drained(id, timeout),
                self.predecessors.wait_drained(id, timeout)
            )
        };
        let (here, before) = tokio::select! {
            waited = waited => waited?,
            // The process that has taken over asks this one.
            () = self.shared.giver.moved.cancelled() => return Err(Refusal::moved()),
        };
        let outcome = DrainOutcome { in_flight_left: here.in_flight_left + before };
        Ok(json(StatusCode::OK, &outcome))
    }

    async fn drain_alone(
        &self,
        id: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let DrainRequest { timeout_ms } = body(request).await?;
        let outcome = self.shared.registry.wait_drained(id, Duration::from_millis(timeout_ms)).await?;
        Ok(json(StatusCode::OK, &outcome))
    }

    /// What drains here is waited for. The answer is the end of the connection.
    async fn end(&self) -> Response<Full<Bytes>> {
        if self.shared.giver.moved.is_cancelled() {
            self.shared.stop.hurry.cancel();
            self.shared.stop.commands.cancelled().await;
        }
        json(StatusCode::OK, &Done {})
    }

    async fn hand_over(&self) -> Result<Response<Full<Bytes>>, Refusal> {
        let shared = Arc::clone(&self.shared);
        let pid = to_the_end(async move { shared.hand_over().await }).await?;
        Ok(json(StatusCode::OK, &HandOverOutcome { pid }))
    }
}

fn check_path(what: &str, path: &str, body: &str) -> Result<(), Refusal> {
    if path == body {
        return Ok(());
    }
    Err(Refusal::invalid(format!("the path names the {what} {path}, the body {}", body.escape_debug())))
}

/// Runs a change to its end even when the one who asked goes away: otherwise it could be on disk and not in force.
async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(change).await.unwrap_or_else(|_| {
        Err(Refusal {
            kind: RefusalKind::Other,
            message: "the command broke off; ask for what is in force and try again".into(),
        })
    })
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Refusal> {
    let collected = Limited::new(request.into_body(), MAX_BODY).collect().await;
    let bytes = collected
        .map_err(|error| Refusal::invalid(format!("the body could not be read: {error}")))?
        .to_bytes();
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::invalid(format!("the body is not this command: {error}")))
}

fn status_of(kind: &RefusalKind) -> StatusCode {
    match kind {
        RefusalKind::HostTaken { .. }
        | RefusalKind::RedirectCircle { .. }
        | RefusalKind::TargetTaken { .. }
        | RefusalKind::TargetActive { .. } => StatusCode::CONFLICT,
        RefusalKind::Invalid => StatusCode::BAD_REQUEST,
        RefusalKind::Moved => StatusCode::MISDIRECTED_REQUEST,
        RefusalKind::NotHandedOver | RefusalKind::NotDurable | RefusalKind::Other => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Full<Bytes>> {
    // The types of the API always encode: no map has keys that are not text.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(bytes)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
