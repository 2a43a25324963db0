use std::path::PathBuf;

use serde::Deserialize;

/// `[docker]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DockerSection {
    /// The engine's socket.
    pub(crate) socket: PathBuf,
}

impl Default for DockerSection {
    fn default() -> Self {
        Self { socket: "/var/run/docker.sock".into() }
    }
}
