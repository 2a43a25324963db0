use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is not a name of that kind. `Display` shows the text escaped and cut short, and the whole rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{given} is not {what}: {rule}")]
pub struct NameError {
    what: &'static str,
    given: String,
    rule: Cow<'static, str>,
}

impl NameError {
    pub(crate) fn new(what: &'static str, given: &str, rule: impl Into<Cow<'static, str>>) -> Self {
        let mut shown: String = given.chars().take(40).flat_map(char::escape_debug).collect();
        if given.chars().nth(40).is_some() {
            shown.push('…');
        }
        Self { what, given: format!("\"{shown}\""), rule: rule.into() }
    }
}

/// Makes a checked string newtype: `new` is the only way in, also for serde.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text. The error names the rule.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(NameError::new($what, &text, $rule)) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    };
}

name!(
    /// An app's name. It becomes a DNS label, a container name and the path in a git remote, so it is the narrowest of the three.
    AppName,
    "an app name",
    "use 1 to 40 lower-case letters, digits and hyphens, with a letter or digit at both ends",
    |text| slug(text, 40)
);

name!(
    /// A volume's name.
    VolumeName,
    "a volume name",
    "use 1 to 60 lower-case letters, digits and hyphens, with a letter or digit at both ends",
    |text| slug(text, 60)
);

name!(
    /// A process type of a `Procfile`: `web`, `worker`, …
    ProcessType,
    "a process type",
    "use 1 to 30 lower-case letters, digits, hyphens and underscores, beginning with a letter",
    |text| {
        (1..=30).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
    }
);

name!(
    /// A config var's name: what POSIX calls a name, so that every shell can read it.
    ConfigKey,
    "a config var name",
    "use letters, digits and underscores, not beginning with a digit, at most 255 of them",
    |text| {
        (1..=255).contains(&text.len())
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
);

name!(
    /// The name a person gives to an ssh key.
    KeyName,
    "a key name",
    "use 1 to 60 letters, digits, dots, hyphens, underscores and @, beginning with a letter or digit",
    |text| {
        (1..=60).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
    }
);

name!(
    /// A git object id, SHA-1 or SHA-256, in lower-case hex.
    CommitId,
    "a commit id",
    "use the whole id, 40 or 64 lower-case hexadecimal digits",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);

impl CommitId {
    /// The first seven digits, as git shows them.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }
}

name!(
    /// Where a volume is mounted inside a container.
    MountPath,
    "a mount path",
    "use an absolute path below / without `..`, `//` or a colon, for example /data",
    |text| {
        text.len() <= 255
            && text.len() > 1
            && text.starts_with('/')
            && !text.ends_with('/')
            && !text.contains(['\0', ':', '\n', '\r'])
            && text[1..].split('/').all(|part| !part.is_empty() && part != "." && part != "..")
    }
);

name!(
    /// A path below a hostname that leads to an app: whole segments, compared byte for byte, as they stand in a request (RFC 3986 §3.3).
    RoutePath,
    "a path to route",
    "use a path like /blog: it begins with / and does not end with one, without `?`, `#`, `<`, `>`, `` ` ``, blanks, `//` or `..`; for a whole hostname use domains:add",
    |text| {
        (2..=1024).contains(&text.len())
            && text.starts_with('/')
            // Browsers send `<`, `>` and the backtick encoded; the proxy knows no such path.
            && text.bytes().all(|b| b.is_ascii_graphic() && !b"?#\\<>`".contains(&b))
            && text[1..].split('/').all(|part| !part.is_empty() && part != "." && part != "..")
    }
);

name!(
    /// The name of a visitor who signs in by basic auth (RFC 7617 §2: without a colon).
    UserName,
    "a user name",
    "use 1 to 64 letters, digits, dots, hyphens, underscores and @",
    |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
    }
);

impl ProcessType {
    /// The type that receives requests.
    pub fn web() -> Self {
        Self("web".to_owned())
    }

    /// Whether it receives requests.
    pub fn is_web(&self) -> bool {
        self.0 == "web"
    }
}

fn slug(text: &str, longest: usize) -> bool {
    let edge = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=longest).contains(&text.len())
        && text.as_bytes().first().is_some_and(edge)
        && text.as_bytes().last().is_some_and(edge)
        && text.bytes().all(|b| edge(&b) || b == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_app_names_are_refused_with_the_rule() {
        let long = "a".repeat(300);
        for bad in ["", "-x", "x-", "..", "a b", ";$(reboot)", "Blog", "über", "a/b", "a.b", "a\0", &long] {
            let error = AppName::new(bad).unwrap_err().to_string();
            assert!(error.contains("lower-case letters"), "{error}");
            assert!(error.len() < 400, "{error}");
        }
        for good in ["a", "blog", "my-blog-2", "0x"] {
            assert_eq!(AppName::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn config_keys_follow_posix() {
        for bad in ["1A", "", "A-B", "A=B", "A B", "Ä"] {
            assert!(ConfigKey::new(bad).is_err(), "{bad}");
        }
        assert!(ConfigKey::new("_a1_B").is_ok());
    }

    #[test]
    fn mount_paths_are_absolute_and_plain() {
        for bad in ["", "/", "data", "/a/../b", "/a//b", "/a:ro", "/a/", "/./a"] {
            assert!(MountPath::new(bad).is_err(), "{bad}");
        }
        assert!(MountPath::new("/var/lib/app").is_ok());
    }

    #[test]
    fn a_path_to_route_is_one_that_a_request_can_have() {
        for bad in
            ["", "/", "x", "/x/", "//x", "/x//y", "/..", "/x?y", "/x#y", "/x y", "/x\\y", "/<x>", "/x`", "/é"]
        {
            assert!(RoutePath::new(bad).is_err(), "{bad}");
        }
        for good in ["/x", "/x/y.z", "/%3Cx%3E", "/~a;b=c", "/x:y@z", "/x|y", "/{x}"] {
            assert!(RoutePath::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn an_error_never_carries_control_characters() {
        let error = AppName::new("\u{1b}[31m\n").unwrap_err().to_string();
        assert!(!error.contains('\u{1b}') && !error.contains('\n'), "{error:?}");
    }

    proptest! {
        #[test]
        fn an_app_name_is_always_a_dns_label(text in ".{0,60}") {
            if let Ok(name) = AppName::new(text) {
                prop_assert!(name.as_str().len() <= 63);
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            }
        }
    }
}
