use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt as _};
use http::{HeaderValue, header};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::wire::NDJSON;

/// A stream as an answer: one JSON value per line, each sent when it comes. It also ends when control does.
pub(super) fn ndjson<T: Serialize + Send + 'static>(
    values: impl Stream<Item = T> + Send + 'static,
    shutdown: &CancellationToken,
) -> Response {
    let lines = values.filter_map(|value| std::future::ready(line(&value))).map(Ok::<_, Infallible>);
    let body = Body::from_stream(lines.take_until(shutdown.clone().cancelled_owned()));
    ([(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))], body).into_response()
}

fn line(value: &impl Serialize) -> Option<Bytes> {
    match serde_json::to_vec(value) {
        Ok(mut line) => {
            line.push(b'\n');
            Some(line.into())
        }
        Err(error) => {
            tracing::error!(%error, "a value of a stream could not be written");
            None
        }
    }
}
