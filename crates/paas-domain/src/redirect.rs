use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Hostname, NameError};

/// A hostname whose visitors are sent to the same path of another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Redirect {
    /// The hostname they ask for.
    pub host: Hostname,
    /// The hostname they are sent to; never a wildcard.
    pub to: Hostname,
    /// The status they are answered with.
    #[serde(default)]
    pub status: RedirectStatus,
}

impl Redirect {
    /// Whether its visitors come back to its own hostname by way of these. Of hostnames as they are written: who has a name below a wildcard is not
    /// known here.
    pub fn leads_back(&self, by: &[Self]) -> bool {
        let mut at = &self.to;
        for _ in 0..=by.len() {
            if *at == self.host {
                return true;
            }
            match by.iter().find(|other| other.host == *at) {
                Some(next) => at = &next.to,
                None => return false,
            }
        }
        // A circle that this one only leads into.
        false
    }
}

/// The status of a redirect (RFC 9110 §15.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum RedirectStatus {
    /// 301: for good; browsers may make a GET of a POST.
    MovedPermanently,
    /// 302: for now; browsers may make a GET of a POST.
    Found,
    /// 307: for now, with the same method.
    Temporary,
    /// 308: for good, with the same method.
    #[default]
    Permanent,
}

impl RedirectStatus {
    const ALL: [Self; 4] = [Self::MovedPermanently, Self::Found, Self::Temporary, Self::Permanent];

    /// Its number.
    pub fn code(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::Temporary => 307,
            Self::Permanent => 308,
        }
    }
}

impl TryFrom<u16> for RedirectStatus {
    type Error = NameError;
    fn try_from(code: u16) -> Result<Self, NameError> {
        let rule = "use 308 or 301 for good, 307 or 302 for now";
        Self::ALL
            .into_iter()
            .find(|status| status.code() == code)
            .ok_or_else(|| NameError::new("the status of a redirect", &code.to_string(), rule))
    }
}

impl From<RedirectStatus> for u16 {
    fn from(status: RedirectStatus) -> Self {
        status.code()
    }
}

impl fmt::Display for RedirectStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_found_from_everywhere_on_it() {
        let host = |text: &str| Hostname::new(text).unwrap();
        let redirect =
            |from, to| Redirect { host: host(from), to: host(to), status: RedirectStatus::default() };
        assert!(redirect("a.org", "a.org").leads_back(&[]));
        let circle = [redirect("a.org", "b.org"), redirect("b.org", "c.org"), redirect("c.org", "a.org")];
        assert!(circle.iter().all(|one| one.leads_back(&circle)));
        assert!(!redirect("x.org", "a.org").leads_back(&circle));
        assert!(!redirect("a.org", "b.org").leads_back(&circle[1..2]));
    }

    #[test]
    fn only_statuses_that_lead_on_are_known() {
        for code in [301, 302, 307, 308] {
            assert_eq!(RedirectStatus::try_from(code).unwrap().code(), code);
        }
        for code in [200, 300, 303, 304, 404] {
            assert!(RedirectStatus::try_from(code).unwrap_err().to_string().contains("308"), "{code}");
        }
        assert_eq!(RedirectStatus::default().code(), 308);
    }
}
