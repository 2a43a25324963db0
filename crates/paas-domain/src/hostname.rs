use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AppName, NameError};

const RULE: &str = "use a name like www.example.org or *.example.org: labels of letters, digits and hyphens, no scheme, port or path";

/// A hostname that leads to an app: exact, or a wildcard for one label (`*.example.org`). Lower case, without a trailing dot
/// (RFC 1123 §2.1 with RFC 5890 A-labels for other scripts).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hostname(String);

impl Hostname {
    /// Checks and normalises the text.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let lower = text.trim_end_matches('.').to_ascii_lowercase();
        let labels = lower.strip_prefix("*.").unwrap_or(&lower);
        let dotless = !labels.contains('.') && lower.starts_with("*.");
        let all_numeric =
            labels.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        if lower.len() > 253 || dotless || all_numeric || !labels.split('.').all(label) {
            return Err(NameError::new("a hostname", text, RULE));
        }
        Ok(Self(lower))
    }

    /// The hostname every app has without asking, `<app>.<domain of the server>`; `None` when the two together are not one.
    pub fn of_app(app: &AppName, domain: &str) -> Option<Self> {
        Self::new(&format!("{app}.{domain}")).ok()
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a certificate with these names is good for it: one of them is the same, or is a wildcard for its last labels (RFC 6125 §6.4.3:
    /// one label in place of the star). Case does not matter.
    pub fn is_covered_by<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let parent = self.0.split_once('.').map(|(_, parent)| parent);
        names.into_iter().any(|name| {
            let wildcard = name.strip_prefix("*.").filter(|_| !self.is_wildcard());
            name.eq_ignore_ascii_case(&self.0)
                || wildcard.zip(parent).is_some_and(|(name, parent)| name.eq_ignore_ascii_case(parent))
        })
    }

    /// Whether it stands for every name one label below.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }
}

fn label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Hostname {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Hostname> for String {
    fn from(name: Hostname) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostnames_are_normalised() {
        assert_eq!(Hostname::new("WWW.Example.org.").unwrap().as_str(), "www.example.org");
        assert!(Hostname::new("*.example.org").unwrap().is_wildcard());
        assert!(Hostname::new("localhost").is_ok());
        assert!(Hostname::new("1.2.3.4.sslip.io").is_ok());
    }

    #[test]
    fn a_certificate_covers_its_names_and_one_label_in_place_of_a_star() {
        let covered = |host: &str, name: &str| Hostname::new(host).unwrap().is_covered_by([name]);
        assert!(covered("www.example.org", "WWW.example.org"));
        assert!(covered("www.example.org", "*.example.org"));
        assert!(covered("*.example.org", "*.example.org"));
        for (host, name) in [
            ("example.org", "*.example.org"),
            ("a.www.example.org", "*.example.org"),
            ("*.www.example.org", "*.example.org"),
            ("*.example.org", "www.example.org"),
            ("www.example.org", "www.example.com"),
            ("www.example.org", "w*.example.org"),
        ] {
            assert!(!covered(host, name), "{host} by {name}");
        }
    }

    #[test]
    fn every_app_has_a_hostname() {
        let blog = AppName::new("blog").unwrap();
        assert_eq!(Hostname::of_app(&blog, "example.org").unwrap().as_str(), "blog.example.org");
        assert_eq!(Hostname::of_app(&blog, "not a domain"), None);
    }

    #[test]
    fn what_is_not_a_hostname_is_refused() {
        for bad in [
            "",
            "http://x.org",
            "x.org:80",
            "x.org/a",
            "a..b",
            "-a.org",
            "a_b.org",
            "*.",
            "*",
            "*.org*",
            "a.*.org",
            "1.2.3.4",
            "ü.org",
        ] {
            assert!(Hostname::new(bad).is_err(), "{bad}");
        }
    }
}
