use paas_domain::{AppName, MountPath, VolumeName};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One volume and who mounts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeInfo {
    /// Its name.
    pub name: VolumeName,
    /// Which apps mount it by command, where.
    pub mounts: Vec<MountUse>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// One app that mounts a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountUse {
    /// The app.
    pub app: AppName,
    /// The path inside its containers.
    pub path: MountPath,
}

/// `POST /v1/volumes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateVolume {
    /// Its name.
    pub name: VolumeName,
}

/// `POST /v1/apps/{app}/mounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountVolume {
    /// The volume, which exists.
    pub volume: VolumeName,
    /// The path inside the containers.
    pub path: MountPath,
    /// Whether the running app gets it now, by a new release. `true` when not given.
    #[serde(default = "yes")]
    pub restart: bool,
}

/// `DELETE /v1/apps/{app}/mounts`: a volume, a path, or both when they belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmountVolume {
    /// The volume; without a path, from everywhere in the app.
    #[serde(default)]
    pub volume: Option<VolumeName>,
    /// The path inside the containers.
    #[serde(default)]
    pub path: Option<MountPath>,
    /// Whether the running app gets it now, by a new release. `true` when not given.
    #[serde(default = "yes")]
    pub restart: bool,
}

fn yes() -> bool {
    true
}
