use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use super::leftovers;

/// The sign that a push is under way in a repository: a shared lock of the kernel on its directory.
///
/// git does not remove its quarantine when a signal ends it (since 2.39 its handlers do nothing that is unsafe in one), and a power cut
/// leaves lock files that refuse every later push. Whoever finds no other push under way clears all that away. git and its hooks inherit the
/// lock, so a repository stays in use for as long as any of them lives, even without the session.
pub(super) struct InUse {
    directory: File,
    repository: PathBuf,
}

impl InUse {
    /// Clears away what earlier pushes left, unless another one is under way, and takes the lock.
    pub(super) fn begin(repository: &Path) -> io::Result<Self> {
        let in_use = Self { directory: File::open(repository)?, repository: repository.to_owned() };
        in_use.clear_if_alone();
        lock(&in_use.directory, FlockOperation::LockShared)?;
        fcntl_setfd(&in_use.directory, FdFlags::empty())?;
        Ok(in_use)
    }

    /// Clears away what this push left after a signal ended it. When another push is under way, it stays for the next one to clear.
    pub(super) fn end(self) {
        self.clear_if_alone();
    }

    fn clear_if_alone(&self) {
        let alone = lock(&self.directory, FlockOperation::NonBlockingLockExclusive);
        if alone.is_err() {
            return;
        }
        match leftovers::remove(&self.repository) {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "cleared away what an interrupted push had left"),
            // Not a reason to refuse this push: if it is in its way, git will say so.
            Err(error) => tracing::warn!(%error, "cannot clear away what an interrupted push had left"),
        }
    }
}

fn lock(directory: &File, operation: FlockOperation) -> io::Result<()> {
    loop {
        match flock(directory, operation) {
            Err(Errno::INTR) => {}
            done => return done.map_err(io::Error::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_push_that_is_alone_clears_away() {
        let repository = tempfile::tempdir().unwrap();
        let quarantine = repository.path().join("objects/tmp_objdir-incoming-a");
        let first = InUse::begin(repository.path()).unwrap();
        fs::create_dir_all(&quarantine).unwrap();
        let second = InUse::begin(repository.path()).unwrap();
        second.end();
        assert!(quarantine.exists(), "a living push lost its quarantine");
        first.end();
        assert!(!quarantine.exists());
    }

    #[test]
    fn the_next_push_clears_what_a_crash_left() {
        let repository = tempfile::tempdir().unwrap();
        let lock = repository.path().join("refs/heads/main.lock");
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        InUse::begin(repository.path()).unwrap();
        assert!(!lock.exists());
    }
}
