//! Names, ids, releases, the deploy state machine and manifest types. No I/O.

mod deploy;
mod duration_text;
mod hostname;
mod id;
mod manifest;
mod masker;
mod name;
mod process_command;
mod procfile;
mod release;
mod secret;

pub use deploy::{DeployEvent, DeployKind, DeployState, Outcome};
pub use duration_text::{DurationError, parse_duration};
pub use hostname::Hostname;
pub use id::{AppId, ContainerId, DeployId, KeyId, ReleaseId};
pub use manifest::{
    BuildSection, DeploySection, HealthSection, HttpsSection, Manifest, ManifestError, WebSection,
};
pub use masker::Masker;
pub use name::{AppName, CommitId, ConfigKey, KeyName, MountPath, NameError, ProcessType, VolumeName};
pub use process_command::{CommandError, ProcessCommand};
pub use procfile::{Procfile, ProcfileError};
pub use release::{Declared, HealthCheck, Mount, ReleaseSpec, ReleaseVersion, WebProtocol};
pub use secret::Secret;
