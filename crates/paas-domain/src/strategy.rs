use std::fmt;

use serde::{Deserialize, Serialize};

/// How a new release takes the place of the old one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// The new containers start beside the old ones; nobody waits. Two versions are alive for a moment.
    #[default]
    Rolling,
    /// Requests wait in the proxy while the old containers stop and the new ones start: never two versions alive.
    Hold,
    /// As `Hold`, but requests are answered 503 at once: for apps that start slower than a visitor would wait.
    Recreate,
}

impl Strategy {
    /// All strategies.
    pub const ALL: [Self; 3] = [Self::Rolling, Self::Hold, Self::Recreate];

    /// The word in the database, in paas.toml and in commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rolling => "rolling",
            Self::Hold => "hold",
            Self::Recreate => "recreate",
        }
    }

    /// The strategy of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == word)
    }

    /// Whether all old containers stop before the first new one starts.
    pub fn stops_first(self) -> bool {
        !matches!(self, Self::Rolling)
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_survives_its_word() {
        for strategy in Strategy::ALL {
            assert_eq!(Strategy::parse(strategy.as_str()), Some(strategy));
        }
        assert_eq!(Strategy::parse("canary"), None);
        assert_eq!(Strategy::default(), Strategy::Rolling);
    }
}
