//! Names, ids, releases, the deploy state machine and manifest types. No I/O.

mod deploy;
mod hostname;
mod id;
mod masker;
mod name;
mod release;
mod secret;

pub use deploy::{DeployEvent, DeployKind, DeployState, Outcome};
pub use hostname::Hostname;
pub use id::{AppId, ContainerId, DeployId, KeyId, ReleaseId};
pub use masker::Masker;
pub use name::{AppName, CommitId, ConfigKey, KeyName, MountPath, NameError, ProcessType, VolumeName};
pub use release::{HealthCheck, Mount, ReleaseSpec, ReleaseVersion};
pub use secret::Secret;
