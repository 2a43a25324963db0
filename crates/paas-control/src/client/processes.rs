use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use paas_domain::AppName;

use super::{Change, Client, ClientError, Lines, LogEntries};
use crate::wire::{LogsQuery, ProcessList, ScaleChange};

impl Client {
    /// The containers of an app.
    pub async fn processes(&self, app: &AppName) -> Result<ProcessList, ClientError> {
        self.get(&format!("/v1/apps/{app}/processes")).await
    }

    /// Replaces every container by a new one, without losing a request.
    pub async fn restart(&self, app: &AppName) -> Result<Change, ClientError> {
        self.change(Method::POST, &format!("/v1/apps/{app}/processes/restart"), &()).await
    }

    /// Starts a stopped app.
    pub async fn start(&self, app: &AppName) -> Result<Change, ClientError> {
        self.change(Method::POST, &format!("/v1/apps/{app}/processes/start"), &()).await
    }

    /// Stops an app; answers when its containers are gone.
    pub async fn stop(&self, app: &AppName) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/processes/stop"), &()).await
    }

    /// Changes how many containers of each process type run.
    pub async fn scale(&self, app: &AppName, scale: &ScaleChange) -> Result<Change, ClientError> {
        self.change(Method::POST, &format!("/v1/apps/{app}/processes/scale"), scale).await
    }

    /// An app's output. With `follow` it ends only when control does or the stream is dropped.
    pub async fn logs(&self, app: &AppName, query: &LogsQuery) -> Result<LogEntries, ClientError> {
        let mut path = format!("/v1/apps/{app}/logs?follow={}", query.follow);
        // Writing to a `String` cannot fail.
        if let Some(tail) = query.tail {
            let _ = write!(path, "&tail={tail}");
        }
        if let Some(process) = &query.process {
            let _ = write!(path, "&process={process}");
        }
        if query.access {
            path.push_str("&access=true");
        }
        Ok(Lines::new(self.send(Method::GET, &path, Bytes::new()).await?))
    }
}
