use serde::{Deserialize, Serialize};

use crate::{api::ChallengeSpec, listener::Role};

/// What the sockets are, in the order they were sent, and what no file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Given {
    pub(super) roles: Vec<Role>,
    pub(super) challenges: Vec<ChallengeSpec>,
}

/// The successor is ready to begin, or cannot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Prepared {
    As { pid: u32 },
    Failed { why: String },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Go {}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Started {}
