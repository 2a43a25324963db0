use std::ffi::OsStr;

/// The version of git's wire protocol a client asked for. All that we take from `GIT_PROTOCOL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `version=1`.
    V1,
    /// `version=2`.
    V2,
}

impl Protocol {
    /// Reads the variable as sshd passed it on. Whatever is not exactly a version we know is dropped, and git then speaks version 0,
    /// which every client understands.
    pub fn of(variable: Option<&OsStr>) -> Option<Self> {
        match variable?.to_str()? {
            "version=1" => Some(Self::V1),
            "version=2" => Some(Self::V2),
            _ => None,
        }
    }

    pub(super) fn value(self) -> &'static str {
        match self {
            Self::V1 => "version=1",
            Self::V2 => "version=2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_versions_pass() {
        assert_eq!(Protocol::of(Some(OsStr::new("version=2"))), Some(Protocol::V2));
        for other in ["", "version=3", "version=2:side=effect", "version=2\n", "2"] {
            assert_eq!(Protocol::of(Some(OsStr::new(other))), None, "{other}");
        }
        assert_eq!(Protocol::of(None), None);
    }
}
