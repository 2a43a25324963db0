//! Names, ids, releases, the deploy state machine and manifest types. No I/O.

mod deploy;
mod duration_text;
mod host_sections;
mod hostname;
mod http;
mod id;
mod ip_range;
mod manifest;
mod masker;
mod name;
mod page;
mod password;
mod path_route;
mod process_command;
mod procfile;
mod redirect;
mod release;
mod secret;
mod share;
mod size_text;
mod strategy;

pub use deploy::{DeployEvent, DeployKind, DeployState, Outcome};
pub use duration_text::{DurationError, parse_duration};
pub use host_sections::DeclaredRoute;
pub use hostname::Hostname;
pub use http::{AccessLog, DeclaredHttp, HttpSection};
pub use id::{AppId, ContainerId, DeployId, KeyId, ReleaseId};
pub use ip_range::IpRange;
pub use manifest::{
    BuildSection, DeploySection, HealthSection, HttpsSection, Manifest, ManifestError, WebSection,
};
pub use masker::Masker;
pub use name::{
    AppName, CommitId, ConfigKey, KeyName, MountPath, NameError, ProcessType, RoutePath, UserName, VolumeName,
};
pub use page::{LARGEST_PAGE, Page, PageError, check_page, check_pages};
pub use password::{PasswordError, check_password, is_password_hash};
pub use path_route::PathRoute;
pub use process_command::{CommandError, ProcessCommand};
pub use procfile::{Procfile, ProcfileError};
pub use redirect::{LONGEST_REDIRECT_CHAIN, Misleading, Redirect, RedirectStatus};
pub use release::{Declared, HealthCheck, Mount, ReleaseSpec, ReleaseVersion, WebProtocol};
pub use secret::Secret;
pub use share::{Share, ShareError};
pub use size_text::{SizeError, deserialize_size, parse_size, size_text};
pub use strategy::Strategy;
