use paas_domain::{AppName, NameError};
use thiserror::Error;

/// Why a path in a git command or a remote's URL does not name an app. `Display` says the whole rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RepositoryPathError(NameError);

/// The app a repository path means. git writes the same repository as `blog`, `/blog`, `~/blog` or `blog/`, each with or without `.git`.
pub(crate) fn app_of(path: &str) -> Result<AppName, RepositoryPathError> {
    let rest = path
        .strip_prefix("/~/")
        .or_else(|| path.strip_prefix("~/"))
        .or_else(|| path.strip_prefix('/'))
        .unwrap_or(path);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    AppName::new(rest).map_err(RepositoryPathError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_app_in_every_spelling() {
        for path in ["blog", "/blog", "~/blog", "/~/blog", "blog.git", "/blog.git", "blog/", "/blog.git/"] {
            assert_eq!(app_of(path).unwrap().as_str(), "blog", "{path}");
        }
    }

    #[test]
    fn anything_that_could_lead_elsewhere_is_refused() {
        for path in [
            "",
            "/",
            "//blog",
            "../blog",
            "/../blog",
            "a/b",
            "~root/blog",
            ".git",
            "blog.git.git",
            "-x",
            "/-x",
            "bl og",
            "BLOG",
            "..",
            "blog//",
        ] {
            let error = app_of(path).unwrap_err().to_string();
            assert!(error.contains("lower-case letters"), "{path}: {error}");
        }
    }
}
