use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

/// Why a directory is not taken as the quarantine of a push. The path comes from a process without privileges, so a wrong one is an attack or a
/// defect, never something to work around.
#[derive(Debug, Error)]
pub enum QuarantineError {
    /// It, or the repository's `objects`, cannot be looked at; after a push has ended the directory is gone.
    #[error("the quarantine {path} cannot be looked at; push again")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a file or a symbolic link.
    #[error("the quarantine {0} is not a directory")]
    NotDirectory(PathBuf),
    /// It lies somewhere else, or git would not name it so.
    #[error("{0} is not a quarantine of this repository")]
    Elsewhere(PathBuf),
}

/// The canonical path of a quarantine: a real directory directly inside `objects`, named as `git receive-pack` names it
/// (`tmp_objdir-incoming-XXXXXX`, `incoming-XXXXXX` before git 2.34).
pub(crate) fn checked(objects: &Path, quarantine: &Path) -> Result<PathBuf, QuarantineError> {
    let unreadable = |source| QuarantineError::Unreadable { path: quarantine.to_owned(), source };
    let elsewhere = || QuarantineError::Elsewhere(quarantine.to_owned());
    let named_by_git = quarantine
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with("tmp_objdir-") || name.starts_with("incoming-"));
    if !named_by_git {
        return Err(elsewhere());
    }
    if !quarantine.symlink_metadata().map_err(unreadable)?.is_dir() {
        return Err(QuarantineError::NotDirectory(quarantine.to_owned()));
    }
    let objects = objects.canonicalize().map_err(unreadable)?;
    let real = quarantine.canonicalize().map_err(unreadable)?;
    if real.parent() == Some(objects.as_path()) { Ok(real) } else { Err(elsewhere()) }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_a_real_directory_of_this_repository_is_taken() {
        let temp = tempfile::tempdir().unwrap();
        let objects = temp.path().join("app.git/objects");
        for dir in ["tmp_objdir-incoming-a", "incoming-b", "pack", "tmp_objdir-x/incoming-deep"] {
            fs::create_dir_all(objects.join(dir)).unwrap();
        }
        fs::create_dir_all(temp.path().join("incoming-outside")).unwrap();
        fs::write(objects.join("incoming-file"), "").unwrap();
        symlink(temp.path().join("incoming-outside"), objects.join("incoming-link")).unwrap();
        symlink(objects.join("incoming-b"), objects.join("incoming-inner-link")).unwrap();

        assert!(checked(&objects, &objects.join("tmp_objdir-incoming-a")).is_ok());
        assert!(checked(&objects, &objects.join("incoming-b")).is_ok());
        assert!(checked(&objects, &objects.join("pack/../incoming-b")).is_ok());
        for bad in [
            "pack",
            "tmp_objdir-x/incoming-deep",
            "incoming-file",
            "incoming-link",
            "incoming-inner-link",
            "incoming-gone",
        ] {
            assert!(checked(&objects, &objects.join(bad)).is_err(), "{bad}");
        }
        assert!(checked(&objects, &temp.path().join("incoming-outside")).is_err());
        assert!(checked(&objects, &objects.join("../../incoming-outside")).is_err());
        assert!(checked(&objects, Path::new("/")).is_err());
        assert!(checked(&objects, &objects.join("incoming-b/..")).is_err());
    }
}
