use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, lchown};
use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryInitOptions};
use paas_domain::AppId;
use thiserror::Error;

use super::{Owner, Repositories, remove_tree};

/// Why an app's repository could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnsureRepositoryError {
    /// The file system refused.
    #[error("cannot make the git repository {}", path.display())]
    Make {
        /// The repository.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// libgit2 could not lay it out.
    #[error("cannot lay out the git repository {}", path.display())]
    Initialise {
        /// The repository.
        path: PathBuf,
        /// What libgit2 said.
        source: git2::Error,
    },
    /// Something is in its place that is not a bare repository.
    #[error("{} is in the way and is not a git repository; move it aside and push again", path.display())]
    InTheWay {
        /// The place.
        path: PathBuf,
    },
}

impl Repositories {
    /// Makes an app's bare repository unless it is there, and says where it is.
    ///
    /// It appears by one rename, complete, on the disk and with the right owner, so a crash leaves either nothing or all of it. Its `HEAD` names `main`.
    pub fn ensure(&self, app: AppId) -> Result<PathBuf, EnsureRepositoryError> {
        let path = self.path(app);
        let make = |source| EnsureRepositoryError::Make { path: path.clone(), source };
        if is_repository(&path)? {
            return Ok(path);
        }
        let root = self.lock().map_err(make)?;
        if is_repository(&path)? {
            return Ok(path);
        }
        let fresh = self.beside(app, "new");
        remove_tree(&fresh).map_err(make)?;
        initialise(&fresh, &path)?;
        settle(&fresh, self.owner).map_err(make)?;
        fs::rename(&fresh, &path).map_err(make)?;
        root.sync_all().map_err(make)?;
        tracing::info!(app.id = app.0, "made the git repository");
        Ok(path)
    }
}

fn is_repository(path: &Path) -> Result<bool, EnsureRepositoryError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(EnsureRepositoryError::Make { path: path.to_owned(), source }),
        Ok(_) => {}
    }
    if Repository::open_bare(path).is_ok() {
        Ok(true)
    } else {
        Err(EnsureRepositoryError::InTheWay { path: path.to_owned() })
    }
}

fn initialise(fresh: &Path, path: &Path) -> Result<(), EnsureRepositoryError> {
    // Ours alone until it is finished: nobody can put a link in the way of what root writes.
    DirBuilder::new()
        .mode(0o700)
        .create(fresh)
        .map_err(|source| EnsureRepositoryError::Make { path: path.to_owned(), source })?;
    let mut options = RepositoryInitOptions::new();
    options.bare(true).no_reinit(true).mkdir(false).external_template(false).initial_head("main");
    Repository::init_opts(fresh, &options)
        .map_err(|source| EnsureRepositoryError::Initialise { path: path.to_owned(), source })?;
    Ok(())
}

/// Brings a new tree to the disk and gives it to its owner, the outermost directory last.
fn settle(path: &Path, owner: Option<Owner>) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            settle(&entry?.path(), owner)?;
        }
    }
    File::open(path)?.sync_all()?;
    owner.map_or(Ok(()), |owner| lchown(path, Some(owner.uid), Some(owner.gid)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn making_it_twice_keeps_what_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        let path = repositories.ensure(AppId(3)).unwrap();
        assert_eq!(path, root.path().join("3.git"));
        fs::write(path.join("kept"), "").unwrap();
        repositories.ensure(AppId(3)).unwrap();
        assert!(path.join("kept").exists());
        assert_eq!(fs::read_to_string(path.join("HEAD")).unwrap(), "ref: refs/heads/main\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        assert_eq!(names(root.path()), ["3.git"]);
    }

    #[test]
    fn what_a_crash_left_is_cleared_away() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        fs::create_dir_all(root.path().join(".3.git.new/objects")).unwrap();
        fs::write(root.path().join(".3.git.new/HEAD"), "").unwrap();
        repositories.ensure(AppId(3)).unwrap();
        assert_eq!(names(root.path()), ["3.git"]);
    }

    #[test]
    fn many_at_once_make_one() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| repositories.ensure(AppId(1)).unwrap());
            }
        });
        assert_eq!(names(root.path()), ["1.git"]);
    }

    #[test]
    fn something_else_in_its_place_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("1.git"), "mine").unwrap();
        let error = Repositories::new(root.path(), "/unused").ensure(AppId(1)).unwrap_err();
        assert!(matches!(error, EnsureRepositoryError::InTheWay { .. }));
        assert_eq!(fs::read_to_string(root.path().join("1.git")).unwrap(), "mine");
    }

    #[test]
    fn root_gives_it_to_its_owner() {
        if !rustix::process::getuid().is_root() {
            eprintln!("not root: nothing to give away");
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let owner = Owner { uid: 4242, gid: 4343 };
        let repositories = Repositories::new(root.path(), "/unused").owned_by(owner);
        let path = repositories.ensure(AppId(1)).unwrap();
        for part in ["", "HEAD", "config", "objects", "objects/pack", "refs/heads"] {
            let metadata = fs::metadata(path.join(part)).unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (4242, 4343), "{part}");
        }
        // Root still reads what belongs to another user.
        assert_eq!(repositories.branch(AppId(1), "main").unwrap(), None);
    }
}
