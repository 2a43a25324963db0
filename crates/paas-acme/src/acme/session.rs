use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use time::OffsetDateTime;

use super::{https::Https, retry_after};

/// The requests of one operation: what the client library sends through, and the `Retry-After` of the last answer, which it does not show.
#[derive(Clone)]
pub(crate) struct Session {
    https: Https,
    asked: Arc<Mutex<Option<Duration>>>,
}

impl Session {
    pub(crate) fn new(https: Https) -> Self {
        Self { https, asked: Arc::default() }
    }

    /// How long the last answer asked to wait.
    pub(crate) fn asked(&self) -> Option<Duration> {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, asked: Option<Duration>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }
}

impl HttpClient for Session {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let session = self.clone();
        Box::pin(async move {
            session.remember(None);
            let response =
                session.https.send(request).await.map_err(|failure| Error::Other(Box::new(failure)))?;
            session.remember(retry_after::of_headers(response.headers(), OffsetDateTime::now_utc()));
            Ok(BytesResponse::from(response.map(Full::new)))
        })
    }
}
