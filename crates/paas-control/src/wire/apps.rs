use std::collections::BTreeMap;

use paas_domain::{AppId, AppName, CommitId, Hostname, MountPath, ProcessType, ReleaseVersion, VolumeName};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{CandidateInfo, RedirectInfo, RouteInfo, UserInfo};

/// Where an app stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// Its release serves.
    Running,
    /// Stopped by `ps:stop`.
    Stopped,
    /// A deploy is under way; what served before serves still.
    Deploying,
    /// Nothing was ever pushed.
    NeverDeployed,
    /// It should run, but none of its web containers does.
    Crashed,
    /// It should run, and the engine does not answer, so nobody can say.
    Unknown,
}

/// One app in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSummary {
    /// Its name.
    pub name: AppName,
    /// Where it stands.
    pub state: AppState,
    /// Where it answers, the default host first.
    pub urls: Vec<String>,
    /// The release that serves, or would after a start.
    pub release: Option<ReleaseVersion>,
    /// When that release was made.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub since: Option<OffsetDateTime>,
}

/// Everything about one app but its config values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppInfo {
    /// Its name.
    pub name: AppName,
    /// Its id, which a rename keeps.
    pub id: AppId,
    /// Where it stands.
    pub state: AppState,
    /// Where it answers, the default host first.
    pub urls: Vec<String>,
    /// What to give to `git remote add`.
    pub git_remote: String,
    /// The release that serves, or would after a start.
    pub release: Option<ReleaseVersion>,
    /// The commit it was built from.
    pub commit: Option<CommitId>,
    /// The id of its image.
    pub image: Option<String>,
    /// The release that a share of the visitors get beside it.
    #[serde(default)]
    pub candidate: Option<CandidateInfo>,
    /// How many containers of each process type should run.
    pub scale: BTreeMap<ProcessType, u16>,
    /// Settings in force, and where each comes from.
    pub settings: Vec<SettingInfo>,
    /// Volumes and where they are mounted.
    pub mounts: Vec<MountInfo>,
    /// Hostnames it redirects.
    #[serde(default)]
    pub redirects: Vec<RedirectInfo>,
    /// Paths of hostnames that lead to it.
    #[serde(default)]
    pub routes: Vec<RouteInfo>,
    /// Who may visit by basic auth; everybody when there is none.
    #[serde(default)]
    pub users: Vec<UserInfo>,
    /// Hostnames given to it by command.
    pub domains: Vec<Hostname>,
    /// When the app was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// Where a value comes from. A command wins over a file, a file over the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// Set on the server.
    #[serde(rename = "command")]
    Command,
    /// Declared by the repository.
    #[serde(rename = "paas.toml")]
    Manifest,
    /// Declared by the image (`EXPOSE`, `VOLUME`).
    #[serde(rename = "image")]
    Image,
    /// Nobody said anything.
    #[serde(rename = "default")]
    Default,
}

impl From<paas_deploy::Origin> for Source {
    fn from(origin: paas_deploy::Origin) -> Self {
        match origin {
            paas_deploy::Origin::Command => Self::Command,
            paas_deploy::Origin::Manifest => Self::Manifest,
        }
    }
}

/// One setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingInfo {
    /// Its name.
    pub name: String,
    /// Its value in words.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
}

/// A volume at a path, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountInfo {
    /// The volume.
    pub volume: VolumeName,
    /// The path inside the containers.
    pub path: MountPath,
    /// Where it comes from.
    pub source: Source,
}

/// `POST /v1/apps`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateApp {
    /// The name it shall have.
    pub name: AppName,
}

/// `DELETE /v1/apps/{app}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestroyApp {
    /// Also destroy the volumes that no other app mounts.
    #[serde(default)]
    pub volumes: bool,
}

/// `POST /v1/apps/{app}/rename`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameApp {
    /// The new name.
    pub name: AppName,
}

/// `PATCH /v1/apps/{app}/settings`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// New values by name; `null` goes back to the repository's value or the default.
    pub set: BTreeMap<String, Option<String>>,
}
