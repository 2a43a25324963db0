use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use http_body_util::BodyExt as _;
use paas_domain::DeployEvent;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_util::io::StreamReader;

use super::{ClientError, call::Answer};
use crate::wire::{ErrorBody, LogEntry};

/// What a deploy tells, ending with `DeployEvent::Ended`; when control goes away before, with [`ClientError::Broken`] or with nothing.
pub type DeployEvents = Lines<DeployEvent>;

/// An app's output, as it comes.
pub type LogEntries = Lines<LogEntry>;

/// A stream of one JSON value per line. Dropping it closes the connection.
pub struct Lines<T>(Pin<Box<dyn Stream<Item = Result<T, ClientError>> + Send>>);

/// A line: the value, or why no more can come.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line<T> {
    Failed(ErrorBody),
    Value(T),
}

impl<T: DeserializeOwned + Send + 'static> Lines<T> {
    pub(super) fn new(answer: Answer) -> Self {
        let Answer { response, connection } = answer;
        let body = response.into_body().into_data_stream().map_err(io::Error::other);
        let lines = BufReader::new(StreamReader::new(body)).lines();
        let values = stream::unfold(Some((lines, connection)), |state| async move {
            let (mut lines, connection) = state?;
            match lines.next_line().await {
                Ok(None) => None,
                Ok(Some(text)) => Some(match parse(&text) {
                    Ok(value) => (Ok(value), Some((lines, connection))),
                    Err(error) => (Err(error), None),
                }),
                Err(error) => Some((Err(ClientError::broken(error)), None)),
            }
        });
        Self(values.boxed())
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ClientError> {
    match serde_json::from_str(text).map_err(ClientError::protocol)? {
        Line::Value(value) => Ok(value),
        Line::Failed(body) => Err(ClientError::Refused(body.error)),
    }
}

impl<T> Stream for Lines<T> {
    type Item = Result<T, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl<T> fmt::Debug for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}
