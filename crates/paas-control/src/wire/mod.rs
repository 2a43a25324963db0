//! What travels over the socket: requests and answers, one file per group. Plain data, the same on both sides.

mod apps;
mod canary;
mod certificates;
mod config;
mod domains;
mod error;
mod front_door;
mod keys;
mod logs;
mod processes;
mod pushes;
mod releases;
mod status;
mod storage;

pub use apps::{
    AppInfo, AppState, AppSummary, CreateApp, DestroyApp, MountInfo, RenameApp, SettingInfo, SettingsChange,
    Source,
};
pub use canary::{AbortedCandidate, CanaryChange, CanaryState, CandidateInfo};
pub use certificates::{
    AddCertificate, AffectedNames, CertificateInfo, CertificateState, NamedCertificate, RemoveCertificate,
    RenewCertificate, RootCertificate,
};
pub use config::{ConfigChange, ConfigVars, Saved, TakesEffect};
pub use domains::{AddDomain, DomainInfo};
pub use error::{ApiError, ErrorBody, ErrorKind};
pub use front_door::{
    AddRedirect, AddRoute, AddUser, ChangeIpRange, IpList, IpRanges, IpRangesInfo, PageInfo, RedirectInfo,
    RemoveRoute, RemoveUser, RouteInfo, SetPage, UnsetPage, UserInfo,
};
pub use keys::{AddKey, KeyInfo, RemoveKey};
pub use logs::{LogEntry, LogsQuery};
pub use processes::{ProcessInfo, ProcessList, ProcessState, ScaleChange};
pub use pushes::{Cancel, CancelAnswer, PreparePush, PreparedPush, StartPush};
pub use releases::{ReleaseInfo, ReleaseState};
pub use status::{PartState, Purged, Status};
pub use storage::{CreateVolume, MountUse, MountVolume, UnmountVolume, VolumeInfo};

/// The header that says which ssh key a request is made for.
pub const KEY_HEADER: &str = "paas-key";

/// The content type of a stream: one JSON value per line.
pub const NDJSON: &str = "application/x-ndjson";
