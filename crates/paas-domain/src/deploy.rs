use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{DeployId, ReleaseVersion, Share};

/// Where a deploy stands. A state is stored before its effect begins, so the state of a deploy that nobody drives says exactly what may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployState {
    /// Waiting for its turn.
    Queued,
    /// The image is being built.
    Building,
    /// Requests wait (or are answered 503) from here to the switch, and the old containers end. Only with a strategy that stops them first.
    Holding,
    /// The release command runs.
    Releasing,
    /// Containers are being created and started.
    Starting,
    /// Their health is being checked.
    Checking,
    /// A share of the visitors get the new release, until somebody promotes or aborts it.
    Candidate,
    /// The point of no return: requests go to the new release.
    Switching,
    /// The old release ends its requests and is removed.
    Draining,
    /// Ended; says how.
    Ended(Outcome),
}

/// How a deploy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new release serves.
    Done,
    /// Something failed; the old release serves on.
    Failed,
    /// The person who asked for it went away or said so.
    Cancelled,
    /// A newer push of the same app replaced it.
    Superseded,
    /// Control died in the middle; undone.
    Interrupted,
    /// It was a candidate and was taken back.
    Aborted,
}

impl DeployState {
    /// All states a running deploy goes through, in order.
    pub const RUNNING: [Self; 9] = [
        Self::Queued,
        Self::Building,
        Self::Holding,
        Self::Releasing,
        Self::Starting,
        Self::Checking,
        Self::Candidate,
        Self::Switching,
        Self::Draining,
    ];

    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Building => "building",
            Self::Holding => "holding",
            Self::Releasing => "releasing",
            Self::Starting => "starting",
            Self::Checking => "checking",
            Self::Candidate => "candidate",
            Self::Switching => "switching",
            Self::Draining => "draining",
            Self::Ended(outcome) => outcome.as_str(),
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::RUNNING.into_iter().chain(Outcome::ALL.map(Self::Ended)).find(|state| state.as_str() == word)
    }

    /// Whether it has ended.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Ended(_))
    }

    /// Whether the new release is the active one: from here on a deploy is completed, never undone.
    pub fn has_switched(self) -> bool {
        matches!(self, Self::Switching | Self::Draining | Self::Ended(Outcome::Done))
    }

    /// Whether a deploy may go from here to `next`.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Ended(_), _) => false,
            // What has switched is done, even when its draining could not be recorded.
            (_, Self::Ended(Outcome::Done)) => matches!(self, Self::Switching | Self::Draining),
            (_, Self::Ended(Outcome::Aborted)) => self == Self::Candidate,
            (_, Self::Ended(_)) => !self.has_switched() && self != Self::Candidate,
            _ => {
                let place = |state| Self::RUNNING.iter().position(|s| *s == state);
                place(self) < place(next)
            }
        }
    }
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::Cancelled, Self::Superseded, Self::Interrupted, Self::Aborted];

    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Interrupted => "interrupted",
            Self::Aborted => "aborted",
        }
    }
}

impl fmt::Display for DeployState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a deploy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeployKind {
    /// A git push: builds.
    Push,
    /// Config vars, mounts or settings changed.
    Config,
    /// `ps:restart`.
    Restart,
    /// `ps:start`.
    Start,
    /// `ps:scale`.
    Scale,
}

impl DeployKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Push, Self::Config, Self::Restart, Self::Start, Self::Scale];

    /// The word in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Config => "config",
            Self::Restart => "restart",
            Self::Start => "start",
            Self::Scale => "scale",
        }
    }

    /// Whether it means that a stopped app is to run.
    pub fn starts_a_stopped_app(self) -> bool {
        matches!(self, Self::Push | Self::Start)
    }

    /// The kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What a person watching a deploy is told, in order. The last one is `Ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DeployEvent {
    /// The deploy exists: it can be followed by this id from now on.
    Accepted {
        /// Its id.
        deploy: DeployId,
    },
    /// A step began.
    Step {
        /// For the person.
        text: String,
    },
    /// A line of output inside the step.
    Line {
        /// For the person.
        text: String,
    },
    /// What went wrong, one line of it.
    Error {
        /// For the person.
        text: String,
    },
    /// Nothing follows.
    Ended {
        /// How.
        outcome: Outcome,
        /// The release that serves now, if this deploy made one.
        release: Option<ReleaseVersion>,
        /// Where the app answers.
        url: Option<String>,
        /// How many visitors get the release while it is a candidate; `None` when it serves everybody.
        #[serde(default)]
        share: Option<Share>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<DeployState> {
        DeployState::RUNNING.into_iter().chain(Outcome::ALL.map(DeployState::Ended)).collect()
    }

    #[test]
    fn every_state_survives_its_word() {
        for state in all() {
            assert_eq!(DeployState::parse(state.as_str()), Some(state));
        }
        assert_eq!(DeployState::parse("gone"), None);
    }

    #[test]
    fn an_ended_deploy_never_moves_and_a_switched_one_never_fails() {
        for from in all() {
            for to in all() {
                if from.has_ended() {
                    assert!(!from.may_become(to), "{from} → {to}");
                }
                if from.has_switched() && to.has_ended() && to != DeployState::Ended(Outcome::Done) {
                    assert!(!from.may_become(to), "{from} → {to}");
                }
            }
        }
        assert!(DeployState::Queued.may_become(DeployState::Starting), "a deploy without a build skips it");
        assert!(!DeployState::Checking.may_become(DeployState::Starting));
    }

    #[test]
    fn a_candidate_is_promoted_or_aborted_and_nothing_else_is_aborted() {
        for to in all() {
            let expected = matches!(
                to,
                DeployState::Switching | DeployState::Draining | DeployState::Ended(Outcome::Aborted)
            );
            assert_eq!(DeployState::Candidate.may_become(to), expected, "{to}");
        }
        for from in all() {
            let is_candidate = from == DeployState::Candidate;
            assert_eq!(from.may_become(DeployState::Ended(Outcome::Aborted)), is_candidate, "{from}");
        }
    }
}
