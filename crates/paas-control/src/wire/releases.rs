use paas_domain::{CommitId, ReleaseVersion, Share};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// One release in a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseInfo {
    /// `vN`.
    pub version: ReleaseVersion,
    /// What made it, in words.
    pub description: String,
    /// The commit its image was built from.
    pub commit: Option<CommitId>,
    /// The id of its image.
    pub image: String,
    /// The name of the key, or who on the server.
    pub created_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// What became of it.
    pub status: ReleaseState,
    /// How many visitors get it, while it is the candidate.
    #[serde(default)]
    pub share: Option<Share>,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseState {
    /// It serves, or would after a start.
    Active,
    /// It served before.
    Previous,
    /// Its deploy failed; it never served.
    Failed,
    /// Its deploy is under way.
    Pending,
    /// A share of the visitors get it.
    Candidate,
    /// It was a candidate and was taken back.
    Aborted,
}
