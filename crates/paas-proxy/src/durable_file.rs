use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Why a file could not be replaced; the one before is still there.
#[derive(Debug, thiserror::Error)]
#[error("could not {step} {}", path.display())]
pub(crate) struct SaveError {
    step: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl SaveError {
    pub(crate) fn new(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self { step, path: path.to_owned(), source }
    }
}

/// A file that is only ever replaced whole and, beside it, the one before.
#[derive(Debug, Clone)]
pub(crate) struct DurableFile {
    path: PathBuf,
    mode: u32,
}

impl DurableFile {
    /// `mode` is the mode of every file this writes.
    pub(crate) fn new(path: PathBuf, mode: u32) -> Self {
        Self { path, mode }
    }

    /// Takes from others what they may do with the files that are there: they may be from before the mode was this one.
    pub(crate) fn narrow(&self) -> io::Result<()> {
        for path in [self.path.clone(), self.previous()] {
            let mode = match fs::metadata(&path) {
                Ok(metadata) => metadata.permissions().mode() & 0o7777,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if mode & !self.mode != 0 {
                fs::set_permissions(&path, Permissions::from_mode(mode & self.mode))?;
            }
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the one before.
    pub(crate) fn previous(&self) -> PathBuf {
        self.beside("prev")
    }

    /// Replaces the file. When this returns it survives a power cut; when it fails the old one does. The old one is kept as
    /// [`previous`](Self::previous) if the caller found it good: a damaged file does not push out the good one before it.
    pub(crate) fn replace(&self, bytes: &[u8], keep_old: bool) -> Result<(), SaveError> {
        let temporary = self.beside("new");
        write_synced(&temporary, bytes, self.mode)
            .map_err(|source| SaveError::new("write", &temporary, source))?;
        if keep_old {
            self.keep().map_err(|source| SaveError::new("keep a copy of", &self.path, source))?;
        }
        fs::rename(&temporary, &self.path).map_err(|source| SaveError::new("replace", &self.path, source))?;
        self.sync_directory()
    }

    /// Removes both, and what a crash may have left of them. The one before goes first, so that it can never come back in the place of what
    /// was removed.
    pub(crate) fn remove(&self) -> Result<(), SaveError> {
        for path in [self.beside("new"), self.beside("link"), self.previous(), self.path.clone()] {
            remove_if_there(&path).map_err(|source| SaveError::new("remove", &path, source))?;
        }
        self.sync_directory()
    }

    /// A second name for the file, put in place by a rename: at every moment both names hold a whole file.
    fn keep(&self) -> io::Result<()> {
        let link = self.beside("link");
        remove_if_there(&link)?;
        fs::hard_link(&self.path, &link)?;
        fs::rename(&link, self.previous())?;
        // Two names of one file are not renamed into each other (rename(2)).
        remove_if_there(&link)
    }

    fn sync_directory(&self) -> Result<(), SaveError> {
        let directory =
            self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| SaveError::new("sync the directory", directory, source))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        PathBuf::from(name)
    }
}

/// Made anew, so that what a crash left behind lends it neither its mode nor its content.
fn write_synced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    remove_if_there(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
