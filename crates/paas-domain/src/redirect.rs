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
    /// What is wrong with where its visitors come by way of these, if something is. A hostname that somebody has falls to no wildcard above it.
    pub fn misleads(&self, by: &[Self], has: impl Fn(&Hostname) -> bool) -> Option<Misleading> {
        let falls_to =
            |at: &Hostname, host: &Hostname| at == host || (!has(at) && at.is_covered_by([host.as_str()]));
        let mut way = Vec::new();
        let mut at = &self.to;
        for _ in 0..LONGEST_REDIRECT_CHAIN {
            if falls_to(at, &self.host) {
                return Some(Misleading::Back);
            }
            if way.contains(&at) {
                // A circle that this one only leads into.
                return None;
            }
            way.push(at);
            let exact = by.iter().find(|other| other.host == *at);
            at = &exact.or_else(|| by.iter().find(|other| falls_to(at, &other.host)))?.to;
        }
        Some(Misleading::TooFar)
    }
}

/// The proxy takes a longer chain of redirects for a circle.
pub const LONGEST_REDIRECT_CHAIN: usize = 10;

/// Why visitors of a redirect come nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misleading {
    /// They come back to its hostname.
    Back,
    /// More than ten redirects follow one another.
    TooFar,
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
        let leads_back =
            |one: Redirect, by: &[Redirect]| one.misleads(by, |_| false) == Some(Misleading::Back);
        assert!(leads_back(redirect("a.org", "a.org"), &[]));
        let circle = [redirect("a.org", "b.org"), redirect("b.org", "c.org"), redirect("c.org", "a.org")];
        assert!(circle.iter().all(|one| leads_back(one.clone(), &circle)));
        assert_eq!(redirect("x.org", "a.org").misleads(&circle, |_| false), None);
        assert!(!leads_back(redirect("a.org", "b.org"), &circle[1..2]));
    }

    #[test]
    fn a_name_that_nobody_has_falls_to_the_wildcard_above_it() {
        let host = |text: &str| Hostname::new(text).unwrap();
        let redirect =
            |from, to| Redirect { host: host(from), to: host(to), status: RedirectStatus::default() };
        let below = [redirect("*.w.org", "a.org")];
        assert_eq!(redirect("a.org", "x.w.org").misleads(&below, |_| false), Some(Misleading::Back));
        assert_eq!(redirect("a.org", "x.w.org").misleads(&below, |host| host.as_str() == "x.w.org"), None);
        assert_eq!(redirect("*.w.org", "x.w.org").misleads(&[], |_| false), Some(Misleading::Back));
    }

    #[test]
    fn more_than_ten_redirects_in_a_row_lead_nowhere() {
        let host = |number: usize| Hostname::new(&format!("h{number}.org")).unwrap();
        let chain: Vec<_> = (0..11)
            .map(|number| Redirect {
                host: host(number),
                to: host(number + 1),
                status: RedirectStatus::default(),
            })
            .collect();
        assert_eq!(chain[0].misleads(&chain, |_| false), Some(Misleading::TooFar));
        assert_eq!(chain[1].misleads(&chain, |_| false), None);
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
