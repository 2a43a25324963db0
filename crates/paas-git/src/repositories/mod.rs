//! The bare repositories on the server's disk.

mod ensure;
mod head;
mod read;
mod remove;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Once;

use paas_domain::AppId;
use rustix::fs::{FlockOperation, OFlags};

use crate::pack::{Push, ReceivePack, UploadPack};

pub use ensure::EnsureRepositoryError;
pub use head::SetHeadError;
pub use read::ReadRepositoryError;
pub use remove::RemoveRepositoryError;

/// The user and group a repository is given to, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// All bare repositories: `<root>/<app id>.git`, so that a rename of an app moves nothing.
///
/// Changes are made beside the real name and take effect by one rename; what a crash left is cleared away by the next change. The root
/// directory should belong to root: control works in it as root, and only the finished repositories are given to the user that
/// receives pushes ([`Repositories::owned_by`]).
#[derive(Debug, Clone)]
pub struct Repositories {
    root: PathBuf,
    hooks: PathBuf,
    owner: Option<Owner>,
}

static LIBGIT2: Once = Once::new();

impl Repositories {
    /// The repositories below `root`, which exists; pushes run the hooks in `hooks`. Both are absolute paths.
    ///
    /// Turns off, for the whole process, libgit2's re-hashing of every object it reads: git has checked them when they arrived.
    pub fn new(root: impl Into<PathBuf>, hooks: impl Into<PathBuf>) -> Self {
        LIBGIT2.call_once(|| git2::opts::strict_hash_verification(false));
        Self { root: root.into(), hooks: hooks.into(), owner: None }
    }

    /// Gives new repositories to this user. Needs root.
    #[must_use]
    pub fn owned_by(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Where an app's repository is, whether it exists or not.
    pub fn path(&self, app: AppId) -> PathBuf {
        self.root.join(format!("{app}.git"))
    }

    /// The command that receives a push into an app's repository.
    pub fn receive_pack(&self, app: AppId, push: Push) -> ReceivePack {
        ReceivePack::new(self.path(app), &self.hooks, push)
    }

    /// The command that serves a fetch from an app's repository.
    pub fn upload_pack(&self, app: AppId) -> UploadPack {
        UploadPack::new(self.path(app))
    }

    /// The name under which a change is prepared or finished. Deterministic, so that the next change finds what a crash left.
    fn beside(&self, app: AppId, purpose: &str) -> PathBuf {
        self.root.join(format!(".{app}.git.{purpose}"))
    }

    /// Keeps other threads and processes from changing the set of repositories until the returned file is dropped. The lock is the
    /// kernel's, on the directory itself: a crash releases it and leaves nothing behind.
    fn lock(&self) -> io::Result<File> {
        let directory = open_directory(&self.root)?;
        loop {
            match rustix::fs::flock(&directory, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(directory),
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// Opens a directory that is not reached through a symbolic link in its last part.
fn open_directory(path: &Path) -> io::Result<File> {
    let flags = (OFlags::DIRECTORY | OFlags::NOFOLLOW).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Removes a directory and all in it; it may be absent. Links are removed, never followed.
fn remove_tree(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
