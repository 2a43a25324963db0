use std::fmt;

/// A branch whose push is a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeployBranch {
    /// `main`.
    Main,
    /// `master`.
    Master,
}

impl DeployBranch {
    /// The deploy branch a full reference name means.
    pub fn of(reference: &str) -> Option<Self> {
        match reference {
            "refs/heads/main" => Some(Self::Main),
            "refs/heads/master" => Some(Self::Master),
            _ => None,
        }
    }

    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Master => "master",
        }
    }

    /// Its full reference name.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Main => "refs/heads/main",
            Self::Master => "refs/heads/master",
        }
    }
}

impl fmt::Display for DeployBranch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
