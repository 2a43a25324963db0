use bytes::Bytes;
use http::Method;
use paas_domain::{AppName, DeployId};

use super::{Client, ClientError, DeployEvents, Lines};
use crate::wire::{Cancel, CancelAnswer, PreparePush, PreparedPush, StartPush};

impl Client {
    /// Finds the app of a push and its repository; makes both for an admin.
    pub async fn prepare_push(&self, app: &AppName) -> Result<PreparedPush, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/prepare-push"), &PreparePush { create: true }).await
    }

    /// Finds the app of a fetch and its repository; never makes an app.
    pub async fn prepare_fetch(&self, app: &AppName) -> Result<PreparedPush, ClientError> {
        self.call(Method::POST, &format!("/v1/apps/{app}/prepare-push"), &PreparePush { create: false }).await
    }

    /// Deploys a pushed commit. The first event is `Accepted`. Dropping the stream cancels the deploy if it has not switched.
    pub async fn start_push(&self, push: &StartPush) -> Result<DeployEvents, ClientError> {
        self.stream(Method::POST, "/v1/pushes", push).await
    }

    /// Ends a push's deploy if it has not switched.
    pub async fn cancel_push(&self, push: &str) -> Result<CancelAnswer, ClientError> {
        let cancel: Cancel = self.call(Method::POST, &format!("/v1/pushes/{push}/cancel"), &()).await?;
        Ok(cancel.answer)
    }

    /// Tells that the branch of a push has moved.
    pub async fn push_received(&self, push: &str) -> Result<(), ClientError> {
        self.call(Method::POST, &format!("/v1/pushes/{push}/received"), &()).await
    }

    /// The events of a deploy from its beginning to its end. Dropping the stream cancels nothing.
    pub async fn follow_deploy(&self, deploy: DeployId) -> Result<DeployEvents, ClientError> {
        Ok(Lines::new(self.send(Method::GET, &format!("/v1/deploys/{deploy}/events"), Bytes::new()).await?))
    }
}
