use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;

use super::{Change, Client, ClientError, Lines};
use crate::wire::{ErrorBody, KEY_HEADER, NDJSON};

/// An answer whose head has come. Dropping it closes the connection, which is how control learns that nobody listens any more.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) connection: AbortOnDropHandle<()>,
}

impl Client {
    /// A request without a body, answered by one JSON value.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path, Bytes::new()).await?.json().await
    }

    /// A request with a JSON body, answered by one JSON value.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.send(method, path, encode(body)?).await?.json().await
    }

    /// A request with a JSON body, answered by a stream of lines.
    pub(super) async fn stream<T: DeserializeOwned + Send + 'static>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Lines<T>, ClientError> {
        Ok(Lines::new(self.send(method, path, encode(body)?).await?))
    }

    /// A request with a JSON body, answered by a stream when a deploy follows and by one value when not.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Change, ClientError> {
        let answer = self.send(method, path, encode(body)?).await?;
        let kind = answer.response.headers().get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind == NDJSON) {
            return Ok(Change::Deploying(Lines::new(answer)));
        }
        answer.json().await.map(Change::Saved)
    }

    pub(super) async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Answer, ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| ClientError::Unreachable { socket: self.socket.clone(), source })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::broken)?;
        // An error of the connection comes out of the answer as well.
        let connection = AbortOnDropHandle::new(tokio::spawn(async move { drop(connection.await) }));
        let request = self.request(method, path, body)?;
        let response = sender.send_request(request).await.map_err(ClientError::broken)?;
        Answer { response, connection }.checked().await
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "paas");
        if let Some(key) = self.key {
            request = request.header(KEY_HEADER, key.0);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(body)).map_err(ClientError::protocol)
    }
}

impl Answer {
    async fn checked(self) -> Result<Self, ClientError> {
        let status = self.response.status();
        if status.is_success() {
            return Ok(self);
        }
        let body: ErrorBody = self.json().await.map_err(|error| explain(status, error))?;
        Err(ClientError::Refused(body.error))
    }

    pub(super) async fn text(self) -> Result<String, ClientError> {
        let body = self.response.into_body().collect().await.map_err(ClientError::broken)?.to_bytes();
        String::from_utf8(body.into()).map_err(ClientError::protocol)
    }

    async fn json<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let body = self.response.into_body().collect().await.map_err(ClientError::broken)?.to_bytes();
        // `()` for answers without a body.
        let text: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(text).map_err(ClientError::protocol)
    }
}

fn explain(status: StatusCode, error: ClientError) -> ClientError {
    match error {
        ClientError::Protocol(source) => ClientError::protocol(format!("HTTP status {status}: {source}")),
        other => other,
    }
}

fn encode(body: &impl Serialize) -> Result<Bytes, ClientError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(ClientError::protocol)
}
