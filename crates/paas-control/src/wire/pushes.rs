use std::path::PathBuf;

use paas_domain::{AppId, AppName, CommitId};
use serde::{Deserialize, Serialize};

/// `POST /v1/apps/{app}/prepare-push`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreparePush {
    /// Whether an absent app is made, if the caller is an admin: yes for a push, no for a fetch.
    pub create: bool,
}

/// The answer to `POST /v1/apps/{app}/prepare-push`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedPush {
    /// The app, for `StartPush`: a rename in the middle of a push does no harm.
    pub app_id: AppId,
    /// Its name now.
    pub app: AppName,
    /// Its bare repository.
    pub repository: PathBuf,
    /// Whether this made the app.
    pub created: bool,
}

/// `POST /v1/pushes`, by the pre-receive hook. Answered by the events of the deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartPush {
    /// The id `ssh-session` made up for this push: 8 to 64 letters, digits and hyphens, not to be guessed.
    pub push: String,
    /// The app, from `PreparedPush`.
    pub app: AppId,
    /// The short name of the branch: `main`.
    pub branch: String,
    /// Where the branch stood; none when it is new.
    pub old: Option<CommitId>,
    /// Where it shall stand.
    pub new: CommitId,
    /// Git's `GIT_QUARANTINE_PATH`, where the pushed objects are until the hook accepts them.
    pub quarantine: Option<PathBuf>,
}

/// The answer to `POST /v1/pushes/{id}/cancel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// What came of it.
    pub answer: CancelAnswer,
}

/// What came of cancelling a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// Its deploy ends without a switch.
    Cancelled,
    /// Its deploy has switched and completes.
    TooLate,
    /// No deploy of that push has begun (or it is not the caller's).
    Unknown,
}
