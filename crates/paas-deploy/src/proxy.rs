use std::time::Duration;

use async_trait::async_trait;
use paas_proxy::{ProxyClient, ProxyClientError, ProxyMetrics, ServiceSpec};

/// The proxy as a deploy sees it: another process, which may be away.
#[async_trait]
pub trait Proxy: Send + Sync + 'static {
    /// Resolves when the proxy answers, or with why it does not.
    async fn answers(&self) -> Result<(), ProxyClientError>;
    /// What the proxy has counted.
    async fn metrics(&self) -> Result<ProxyMetrics, ProxyClientError>;
    /// Replaces one service atomically and durably.
    async fn put_service(&self, service: &ServiceSpec) -> Result<(), ProxyClientError>;
    /// Removes a service; absent is success.
    async fn delete_service(&self, name: &str) -> Result<(), ProxyClientError>;
    /// What the proxy has now.
    async fn services(&self) -> Result<Vec<ServiceSpec>, ProxyClientError>;
    /// Resolves when the target has no request in flight, or at the deadline, when what is left has been cut; says how many that were.
    async fn wait_drained(&self, target: &str, deadline: Duration) -> Result<u64, ProxyClientError>;
}

#[async_trait]
impl Proxy for ProxyClient {
    async fn answers(&self) -> Result<(), ProxyClientError> {
        self.status().await.map(|_| ())
    }

    async fn metrics(&self) -> Result<ProxyMetrics, ProxyClientError> {
        ProxyClient::metrics(self).await
    }

    async fn put_service(&self, service: &ServiceSpec) -> Result<(), ProxyClientError> {
        ProxyClient::put_service(self, service).await.map(|_| ())
    }

    async fn delete_service(&self, name: &str) -> Result<(), ProxyClientError> {
        ProxyClient::delete_service(self, name).await.map(|_| ())
    }

    async fn services(&self) -> Result<Vec<ServiceSpec>, ProxyClientError> {
        Ok(ProxyClient::services(self).await?.into_iter().map(|status| status.spec).collect())
    }

    async fn wait_drained(&self, target: &str, deadline: Duration) -> Result<u64, ProxyClientError> {
        Ok(ProxyClient::wait_drained(self, target, deadline).await?.in_flight_left)
    }
}
