use std::fs;
use std::io;
use std::path::PathBuf;

use paas_domain::AppId;
use thiserror::Error;

use super::{Repositories, remove_tree};

/// Why an app's repository could not be removed.
#[derive(Debug, Error)]
#[error("cannot remove the git repository {}", path.display())]
pub struct RemoveRepositoryError {
    /// The repository.
    path: PathBuf,
    source: io::Error,
}

impl Repositories {
    /// Removes an app's repository; it may be absent. It vanishes by one rename, so no push ever sees half of it.
    pub fn remove(&self, app: AppId) -> Result<(), RemoveRepositoryError> {
        self.remove_locked(app).map_err(|source| RemoveRepositoryError { path: self.path(app), source })
    }

    fn remove_locked(&self, app: AppId) -> io::Result<()> {
        let root = self.lock()?;
        let gone = self.beside(app, "gone");
        remove_tree(&gone)?;
        match fs::rename(self.path(app), &gone) {
            Ok(()) => {
                root.sync_all()?;
                remove_tree(&gone)?;
                tracing::info!(app.id = app.0, "removed the git repository");
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        remove_tree(&self.beside(app, "new"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_repeats_and_finishes_what_a_crash_left() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        repositories.ensure(AppId(1)).unwrap();
        repositories.ensure(AppId(2)).unwrap();
        fs::create_dir_all(root.path().join(".1.git.gone/objects")).unwrap();
        for _ in 0..2 {
            repositories.remove(AppId(1)).unwrap();
        }
        let left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["2.git"]);
    }
}
