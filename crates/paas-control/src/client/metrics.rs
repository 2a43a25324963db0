use bytes::Bytes;
use http::Method;

use super::{Client, ClientError};

impl Client {
    /// Everything that is counted, in the text format of Prometheus.
    pub async fn metrics(&self) -> Result<String, ClientError> {
        self.send(Method::GET, "/v1/metrics", Bytes::new()).await?.text().await
    }
}
