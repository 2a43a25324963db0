use paas_domain::{CommitId, ReleaseVersion, Share};
use serde::{Deserialize, Serialize};

/// `POST /v1/apps/{app}/canary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryChange {
    /// How many visitors get the next release, and the candidate that runs; `null` makes the next releases serve everybody, whatever paas.toml
    /// says, and leaves the candidate as it is.
    pub share: Option<Share>,
}

/// What the next release will be, and what became of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryState {
    /// How many visitors get the next release; everybody when there is none.
    pub share: Option<Share>,
    /// The candidate that has that share from now on.
    pub candidate: Option<ReleaseVersion>,
}

/// The answer to `POST /v1/apps/{app}/canary/abort`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbortedCandidate {
    /// The release that was the candidate.
    pub release: ReleaseVersion,
}

/// The candidate of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateInfo {
    /// The release that a share of the visitors get.
    pub release: ReleaseVersion,
    /// The commit it was built from.
    pub commit: Option<CommitId>,
    /// How many visitors get it.
    pub share: Share,
}
