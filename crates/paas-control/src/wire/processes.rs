use std::collections::BTreeMap;

use paas_domain::{ProcessType, ReleaseVersion};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::AppState;

/// `GET /v1/apps/{app}/processes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessList {
    /// Where the app stands.
    pub state: AppState,
    /// How many containers of each process type should run.
    pub scale: BTreeMap<ProcessType, u16>,
    /// The containers there are, by process type and number.
    pub processes: Vec<ProcessInfo>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessInfo {
    /// `web.1`; what `logs` puts before its lines.
    pub name: String,
    /// Its process type; none for the release command.
    pub process_type: Option<ProcessType>,
    /// Which release it runs.
    pub release: ReleaseVersion,
    /// Whether that release is the candidate.
    #[serde(default)]
    pub candidate: bool,
    /// Where it stands.
    pub state: ProcessState,
    /// When it was started last, as the engine says.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub since: Option<OffsetDateTime>,
    /// The exit code of its last end, while it is not running.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended it for memory.
    pub out_of_memory: bool,
}

/// Where a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessState {
    /// It is being made, or was made and not started.
    Starting,
    /// It runs.
    Running,
    /// It ended, and the engine starts it again.
    Restarting,
    /// It ended.
    Exited,
    /// The engine has no such container; the reconciler makes or forgets it.
    Missing,
}

/// `POST /v1/apps/{app}/processes/scale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScaleChange(
    /// New counts, 0 to 100, by process type; those not named stay.
    pub BTreeMap<ProcessType, u16>,
);
