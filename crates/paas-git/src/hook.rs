use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A git hook of ours. git starts our binary under the hook's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hook {
    /// Judges the push as a whole and deploys; standard input has the references.
    PreReceive,
    /// Judges one reference; its arguments are `name old new`.
    Update,
    /// Tells that the references have moved; standard input has them.
    PostReceive,
}

/// Why the hooks could not be installed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InstallHooksError {
    /// Hooks run in the repository's directory, so every path has to be absolute.
    #[error("{} is not an absolute path", path.display())]
    Relative {
        /// The path.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("cannot write {}", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PreReceive, Self::Update, Self::PostReceive];

    /// Its name for git (githooks(5)).
    pub fn name(self) -> &'static str {
        match self {
            Self::PreReceive => "pre-receive",
            Self::Update => "update",
            Self::PostReceive => "post-receive",
        }
    }

    /// The hook of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hook| hook.name() == name)
    }
}

/// The hook this process was started as, by `argv[0]`; `None` when it was started under the binary's own name.
pub fn hook_name(argv0: impl AsRef<OsStr>) -> Option<Hook> {
    Hook::of(Path::new(argv0.as_ref()).file_name()?.to_str()?)
}

/// Makes every hook in `directory` a link to our binary, so that no shell script stands between git and us.
///
/// Creates the directory (mode 0755) and replaces what is there, each link atomically; doing it again changes nothing. The directory
/// should belong to root: who can write there decides what a push runs.
pub fn install_hooks(directory: &Path, binary: &Path) -> Result<(), InstallHooksError> {
    for path in [directory, binary] {
        if !path.is_absolute() {
            return Err(InstallHooksError::Relative { path: path.to_owned() });
        }
    }
    DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(write_error(directory))?;
    for hook in Hook::ALL {
        link(directory, hook, binary)?;
    }
    Ok(())
}

fn link(directory: &Path, hook: Hook, binary: &Path) -> Result<(), InstallHooksError> {
    let link = directory.join(hook.name());
    if fs::read_link(&link).is_ok_and(|target| target == binary) {
        return Ok(());
    }
    let fresh = directory.join(format!(".{}.new", hook.name()));
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(write_error(&fresh)(error)),
        _ => {}
    }
    symlink(binary, &fresh).map_err(write_error(&fresh))?;
    fs::rename(&fresh, &link).map_err(write_error(&link))
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> InstallHooksError {
    let path = path.to_owned();
    move |source| InstallHooksError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_is_told_by_the_name_we_were_started_under() {
        assert_eq!(hook_name("/var/lib/paas/hooks/pre-receive"), Some(Hook::PreReceive));
        assert_eq!(hook_name("post-receive"), Some(Hook::PostReceive));
        for other in ["/usr/local/bin/paas", "", "/", "pre-receive.sample", "update/paas"] {
            assert_eq!(hook_name(other), None, "{other}");
        }
    }

    #[test]
    fn installing_replaces_and_repeats() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("lib/hooks");
        install_hooks(&directory, Path::new("/usr/local/bin/old")).unwrap();
        fs::remove_file(directory.join("update")).unwrap();
        fs::write(directory.join("update"), "#!/bin/sh\n").unwrap();
        fs::write(directory.join(".update.new"), "left by a crash").unwrap();
        for _ in 0..2 {
            install_hooks(&directory, Path::new("/usr/local/bin/paas")).unwrap();
            let mut names: Vec<_> =
                fs::read_dir(&directory).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            assert_eq!(names, ["post-receive", "pre-receive", "update"]);
            for name in names {
                assert_eq!(fs::read_link(directory.join(name)).unwrap(), Path::new("/usr/local/bin/paas"));
            }
        }
    }

    #[test]
    fn relative_paths_are_refused() {
        let refused = install_hooks(Path::new("/tmp/unused-hooks"), Path::new("target/paas"));
        assert!(matches!(refused, Err(InstallHooksError::Relative { .. })));
    }
}
