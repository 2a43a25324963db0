use serde::{Deserialize, Serialize};

/// `GET /v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the server.
    pub version: String,
    /// The label of this installation.
    pub instance: String,
    /// Whether the container engine answers.
    pub engine: PartState,
    /// Whether the proxy answers.
    pub proxy: PartState,
    /// How many apps the caller may see.
    pub apps: usize,
    /// Seconds since control started.
    pub uptime_seconds: u64,
}

/// Whether something control needs answers: `"ok"` or `{"error": "why"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartState {
    /// It answers.
    Ok,
    /// It does not; says why.
    Error(String),
}

/// The answer to `POST /v1/purge`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// How many apps are gone.
    pub apps: usize,
    /// How many volumes.
    pub volumes: usize,
}
