use std::net::SocketAddr;

use serde::Deserialize;

/// `[metrics]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsSection {
    /// Where `GET /metrics` is answered, to whoever can connect; nowhere when not given.
    pub(crate) listen: Option<SocketAddr>,
}
