//! A BuildKit session: a connection to the engine over which the engine calls us.

use std::{collections::BTreeMap, path::Path, pin::Pin};

use bollard_buildkit_proto::{
    health::{
        HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
        health_check_response::ServingStatus,
        health_server::{Health, HealthServer},
    },
    moby::buildkit::secrets::v1::{
        GetSecretRequest, GetSecretResponse,
        secrets_server::{Secrets, SecretsServer},
    },
};
use futures_util::{Stream, StreamExt, stream};
use http::{Method, StatusCode, header};
use hyper::server::conn::http2;
use hyper_util::{rt::TokioExecutor, service::TowerToHyperService};
use paas_domain::Secret;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Request, Response, Status, async_trait, service::Routes};

use super::ACTION;
use crate::{
    error::EngineError,
    failure::protocol,
    wire::{self, Wire},
};

/// What the engine may call; it asks for nothing that is not named when the session opens.
const METHODS: [&str; 2] = ["/grpc.health.v1.Health/Check", "/moby.buildkit.secrets.v1.Secrets/GetSecret"];

/// An open session. Dropping it closes the connection.
pub(super) struct Session {
    id: String,
    _server: AbortOnDropHandle<()>,
}

impl Session {
    /// Opens a session that serves these secrets, from memory, to this build alone.
    pub(super) async fn open(socket: &Path, secrets: BTreeMap<String, Secret>) -> Result<Self, EngineError> {
        let id = format!("{:032x}", rand::random::<u128>());
        let mut request = wire::request(Method::POST, "/session")
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "h2c")
            .header("X-Docker-Expose-Session-Uuid", &id)
            .header("X-Docker-Expose-Session-Name", "paas");
        for method in METHODS {
            request = request.header("X-Docker-Expose-Session-Grpc-Method", method);
        }
        let request = request.body(wire::full("")).map_err(|error| protocol(ACTION, error))?;
        let wire = Wire::open(socket).await?;
        let mut answer = wire.send(request).await.map_err(|error| protocol(ACTION, error))?;
        if answer.response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let message = wire::refusal(answer.response).await;
            return Err(EngineError::Refused { action: "open a build session".to_owned(), message });
        }
        let io = hyper::upgrade::on(&mut answer.response).await.map_err(|error| protocol(ACTION, error))?;
        let services =
            Routes::new(HealthServer::new(Alive)).add_service(SecretsServer::new(Vault(secrets))).prepare();
        let server = tokio::spawn(async move {
            let connection = http2::Builder::new(TokioExecutor::new())
                .serve_connection(io, TowerToHyperService::new(services));
            // The engine closes it when the build is over; a session that broke shows in the build.
            let _ = connection.await;
        });
        Ok(Self { id, _server: AbortOnDropHandle::new(server) })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// BuildKit asks every few seconds whether we are there.
struct Alive;

fn serving() -> HealthCheckResponse {
    HealthCheckResponse { status: ServingStatus::Serving.into() }
}

#[async_trait]
impl Health for Alive {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, _: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(serving()))
    }

    async fn list(&self, _: Request<HealthListRequest>) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("one service, always there"))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        // The status never changes while the connection lives.
        Ok(Response::new(Box::pin(stream::iter([Ok(serving())]).chain(stream::pending()))))
    }
}

/// The build's secrets.
struct Vault(BTreeMap<String, Secret>);

#[async_trait]
impl Secrets for Vault {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = request.into_inner().id;
        match self.0.get(&id) {
            // The build's own `RUN --mount=type=secret,id=…` is where the value is meant to go.
            Some(secret) => {
                Ok(Response::new(GetSecretResponse { data: secret.expose().as_bytes().to_vec() }))
            }
            None => Err(Status::not_found(format!("there is no secret {id}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_known_secrets_are_given_out() {
        let vault = Vault(BTreeMap::from([("token".to_owned(), Secret::new("canary-1"))]));
        let ask = |id: &str| Request::new(GetSecretRequest { id: id.to_owned(), ..Default::default() });
        assert_eq!(vault.get_secret(ask("token")).await.unwrap().into_inner().data, b"canary-1");
        let refused = vault.get_secret(ask("other")).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::NotFound);
        assert!(!refused.message().contains("canary"));
    }
}
