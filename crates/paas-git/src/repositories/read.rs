use std::path::PathBuf;

use git2::{ErrorCode, Repository};
use paas_domain::{AppId, CommitId, NameError};
use thiserror::Error;

use super::Repositories;

/// Why an app's repository could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadRepositoryError {
    /// libgit2 could not read it.
    #[error("cannot read the git repository {}", path.display())]
    Read {
        /// The repository.
        path: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// libgit2 gave something that is not an object id.
    #[error("the git repository {} has a wrong object id", path.display())]
    Id {
        /// The repository.
        path: PathBuf,
        /// Why it is wrong.
        source: NameError,
    },
}

impl Repositories {
    /// The commit a branch points to; `None` when the branch or the whole repository is not there.
    ///
    /// The owner is not checked: control reads as root what belongs to the user that receives pushes.
    pub fn branch(&self, app: AppId, branch: &str) -> Result<Option<CommitId>, ReadRepositoryError> {
        let path = self.path(app);
        let read = |source| ReadRepositoryError::Read { path: path.clone(), source };
        if !path.try_exists().unwrap_or(true) {
            return Ok(None);
        }
        let repository = Repository::open_bare(&path).map_err(read)?;
        let id = match repository.refname_to_id(&format!("refs/heads/{branch}")) {
            Ok(id) => id.to_string(),
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(read(error)),
        };
        CommitId::new(id).map(Some).map_err(|source| ReadRepositoryError::Id { path, source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_read_or_absent() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        assert_eq!(repositories.branch(AppId(1), "main").unwrap(), None);
        let path = repositories.ensure(AppId(1)).unwrap();
        assert_eq!(repositories.branch(AppId(1), "main").unwrap(), None);

        let repository = Repository::open_bare(path).unwrap();
        let tree = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let person = git2::Signature::now("A", "a@example.org").unwrap();
        let commit = repository.commit(Some("refs/heads/main"), &person, &person, "m", &tree, &[]).unwrap();
        assert_eq!(repositories.branch(AppId(1), "main").unwrap().unwrap().as_str(), commit.to_string());
        assert_eq!(repositories.branch(AppId(1), "master").unwrap(), None);
        assert!(repositories.branch(AppId(1), "../../x y").is_err());
    }
}
