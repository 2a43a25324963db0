use serde::{Deserialize, Serialize};

use super::TargetSpec;

/// A version beside the one that serves, for a share of the visitors (a canary). A visitor who got it keeps it, by a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CandidateSpec {
    /// Tells this candidate from earlier ones: their cookies do not lead to it. 1 to 128 of `A-Z a-z 0-9 . _ : -`.
    pub id: String,
    /// How many of a hundred visitors get it: 0 to 100.
    pub percent: u8,
    /// Its containers; without one that works nobody gets it.
    pub targets: Vec<TargetSpec>,
}
