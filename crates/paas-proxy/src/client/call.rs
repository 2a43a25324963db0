use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header::HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::{ProxyClient, ProxyClientError};
use crate::refusal::{Refusal, RefusalKind};

impl ProxyClient {
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> Result<T, ProxyClientError> {
        // At a hand-over the command comes to the process that goes; the one that has come is behind the same name.
        match self.call_once(method.clone(), path, body.clone(), patience).await {
            Err(ProxyClientError::Refused(Refusal { kind: RefusalKind::Moved, .. })) => {
                self.call_once(method, path, body, patience).await
            }
            outcome => outcome,
        }
    }

    async fn call_once<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> Result<T, ProxyClientError> {
        let (status, bytes) = tokio::time::timeout(patience, self.exchange(method, path, body))
            .await
            .map_err(|_| ProxyClientError::TimedOut { socket: self.socket.clone(), after: patience })??;
        let decoded = if status.is_success() {
            serde_json::from_slice(&bytes).map(Ok)
        } else {
            serde_json::from_slice::<Refusal>(&bytes).map(Err)
        };
        decoded
            .map_err(|source| ProxyClientError::Answer { status, source })?
            .map_err(ProxyClientError::Refused)
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ProxyClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| ProxyClientError::Unreachable { socket: self.socket.clone(), source })?;
        let request = request(method, path, body)
            .map_err(|error| Refusal::invalid(format!("the command cannot be sent: {error}")))?;
        let exchange = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            let answer = async {
                let response = sender.send_request(request).await?;
                let status = response.status();
                Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
            };
            // In one task, so that dropping the call closes the connection.
            tokio::pin!(answer, connection);
            tokio::select! {
                answer = &mut answer => answer,
                Err(error) = &mut connection => Err(error),
                else => answer.await,
            }
        };
        exchange.await.map_err(|source| ProxyClientError::Broken { socket: self.socket.clone(), source })
    }
}

fn request(method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, http::Error> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, HeaderValue::from_static("paas-proxy"))
        .body(Full::new(body))
}
