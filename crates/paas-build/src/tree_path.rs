use std::fmt;

use thiserror::Error;

/// Why a text is not a path inside a repository.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{given}\" is not a path inside the repository: {rule}")]
pub struct TreePathError {
    given: String,
    rule: &'static str,
}

/// A path inside a repository, from its root, normalised: no leading slash, no `.` and no `..`. Empty is the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreePath(String);

impl TreePath {
    /// Checks and normalises: `./web//` is `web`, `.` is the root. An absolute path and one with `..` are refused.
    pub fn new(text: &str) -> Result<Self, TreePathError> {
        let refuse = |rule| {
            Err(TreePathError { given: text.chars().take(80).flat_map(char::escape_debug).collect(), rule })
        };
        if text.is_empty() {
            return refuse("it is empty; the root is \".\"");
        }
        if text.starts_with('/') {
            return refuse("it begins with /; give it from the repository's root, like docker/Dockerfile");
        }
        if text.contains(char::is_control) {
            return refuse("it has a control character");
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if parts.contains(&"..") {
            return refuse("it has `..` in it; give it from the repository's root");
        }
        Ok(Self(parts.join("/")))
    }

    /// The path; empty is the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the repository's root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    pub(crate) fn join(&self, name: &str) -> Self {
        if self.is_root() { Self(name.to_owned()) } else { Self(format!("{}/{name}", self.0)) }
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

/// `path` as seen from inside `directory`; `None` if it is not inside.
pub(crate) fn inside<'p>(directory: &[u8], path: &'p [u8]) -> Option<&'p [u8]> {
    if directory.is_empty() { Some(path) } else { path.strip_prefix(directory)?.strip_prefix(b"/") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_normalised() {
        for (given, path) in
            [("Dockerfile", "Dockerfile"), ("./a//b/./c/", "a/b/c"), (".", ""), ("./", ""), ("a..b", "a..b")]
        {
            assert_eq!(TreePath::new(given).unwrap().as_str(), path, "{given}");
        }
        for bad in ["", "/", "/etc/passwd", "..", "a/../b", "../x", "a\0", "a\nb"] {
            assert!(TreePath::new(bad).is_err(), "{bad}");
        }
        assert_eq!(TreePath::default().to_string(), ".");
    }

    #[test]
    fn inside_cuts_whole_names_only() {
        assert_eq!(inside(b"", b"a/b"), Some(&b"a/b"[..]));
        assert_eq!(inside(b"a", b"a/b"), Some(&b"b"[..]));
        assert_eq!(inside(b"a", b"ab"), None);
        assert_eq!(inside(b"a", b"a"), None);
    }

    proptest! {
        #[test]
        fn a_path_never_escapes(text in r"[./a\\]{0,12}") {
            if let Ok(path) = TreePath::new(&text) {
                prop_assert!(!path.as_str().starts_with('/'));
                prop_assert!(path.as_str().split('/').all(|part| part != ".."));
            }
        }
    }
}
