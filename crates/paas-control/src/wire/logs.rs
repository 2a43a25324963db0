use paas_domain::ProcessType;
use serde::{Deserialize, Serialize};

/// The query of `GET /v1/apps/{app}/logs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogsQuery {
    /// Only the last so many lines of each container; 100 when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Go on as lines come.
    #[serde(default)]
    pub follow: bool,
    /// Only this process type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessType>,
    /// The access log instead of what the containers print.
    #[serde(default)]
    pub access: bool,
}

/// One line of an app's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Which container: `web.1`; `access` for a line of the access log, which has its own time.
    pub process: String,
    /// RFC 3339, as the engine says.
    pub timestamp: Option<String>,
    /// Whether it came from standard error.
    #[serde(default)]
    pub stderr: bool,
    /// The text without its newline.
    pub text: String,
}
