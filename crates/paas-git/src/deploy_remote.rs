use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::remote_url::{RemoteUrl, RemoteUrlError};

/// The remotes looked at, in order.
const NAMES: [&str; 2] = ["deploy", "paas"];

/// Why the remote could not be found out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FindRemoteError {
    /// The repository around the directory could not be read.
    #[error("cannot read the git repository at {}", directory.display())]
    Read {
        /// Where we looked.
        directory: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// The remote is there and leads somewhere else.
    #[error("the git remote `{name}` is not an app on a server; name one with --host and --app")]
    NotOurs {
        /// The remote's name.
        name: &'static str,
        /// Why.
        source: RemoteUrlError,
    },
}

/// The app and server the working directory belongs to: its git remote `deploy`, else `paas`.
///
/// `None` outside a repository and when it has neither remote. A push URL wins over the fetch URL, and `url.*.insteadOf` is followed,
/// since both are what `git push deploy` does.
pub fn find_deploy_remote(directory: &Path) -> Result<Option<RemoteUrl>, FindRemoteError> {
    let read = |source| FindRemoteError::Read { directory: directory.to_owned(), source };
    let repository = match git2::Repository::discover(directory) {
        Ok(repository) => repository,
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(read(error)),
    };
    let mut refusal = None;
    for name in NAMES {
        let remote = match repository.find_remote(name) {
            Ok(remote) => remote,
            Err(error) if error.code() == git2::ErrorCode::NotFound => continue,
            Err(error) => return Err(read(error)),
        };
        match RemoteUrl::parse(&url_of(&remote)) {
            Ok(url) => return Ok(Some(url)),
            Err(source) => {
                refusal.get_or_insert(FindRemoteError::NotOurs { name, source });
            }
        }
    }
    refusal.map_or(Ok(None), Err)
}

fn url_of(remote: &git2::Remote<'_>) -> String {
    let bytes = remote.pushurl_bytes().unwrap_or_else(|| remote.url_bytes());
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(remotes: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let repository = git2::Repository::init(directory.path()).unwrap();
        for (name, url) in remotes {
            repository.remote(name, url).unwrap();
        }
        directory
    }

    fn found(remotes: &[(&str, &str)]) -> Result<Option<String>, FindRemoteError> {
        let directory = repository(remotes);
        let below = directory.path().join("src/deep");
        std::fs::create_dir_all(&below).unwrap();
        Ok(find_deploy_remote(&below)?.map(|url| url.to_string()))
    }

    #[test]
    fn deploy_comes_before_paas() {
        let both = [("paas", "paas@b:shop"), ("deploy", "paas@a:blog")];
        assert_eq!(found(&both).unwrap().unwrap(), "paas@a:blog");
        assert_eq!(found(&both[..1]).unwrap().unwrap(), "paas@b:shop");
        assert_eq!(found(&[("origin", "paas@a:blog")]).unwrap(), None);
        assert!(find_deploy_remote(Path::new("/")).unwrap().is_none());
    }

    #[test]
    fn a_remote_that_leads_elsewhere_is_passed_over_or_named() {
        let elsewhere = ("deploy", "git@github.com:someone/blog.git");
        assert_eq!(found(&[elsewhere, ("paas", "paas@b:shop")]).unwrap().unwrap(), "paas@b:shop");
        assert!(matches!(found(&[elsewhere]), Err(FindRemoteError::NotOurs { name: "deploy", .. })));
    }

    #[test]
    fn the_push_url_wins() {
        let directory = repository(&[("deploy", "paas@a:blog")]);
        git2::Repository::open(directory.path())
            .unwrap()
            .remote_set_pushurl("deploy", Some("paas@c:blog"))
            .unwrap();
        assert_eq!(find_deploy_remote(directory.path()).unwrap().unwrap().host(), "c");
    }
}
