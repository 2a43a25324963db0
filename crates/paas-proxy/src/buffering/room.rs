use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Where request bodies that do not fit into memory wait, and how much of the disk they may use together.
#[derive(Debug)]
pub(crate) struct Buffers {
    directory: PathBuf,
    limit: u64,
    used: AtomicU64,
}

impl Buffers {
    /// `limit` is in bytes, over all requests.
    pub(crate) fn new(directory: PathBuf, limit: u64) -> Self {
        Self { directory, limit, used: AtomicU64::new(0) }
    }

    /// A file that nobody else can open and that is gone with its last handle, also after a crash. Blocks.
    pub(super) fn file(&self) -> io::Result<File> {
        fs::create_dir_all(&self.directory)?;
        tempfile::tempfile_in(&self.directory)
    }

    fn take(&self, bytes: u64) -> bool {
        let fits = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok()
    }
}

/// The part of the disk that one request uses.
#[derive(Debug)]
pub(super) struct Room {
    buffers: Arc<Buffers>,
    bytes: u64,
}

impl Room {
    pub(super) fn new(buffers: Arc<Buffers>) -> Self {
        Self { buffers, bytes: 0 }
    }

    /// False, and nothing changed, when there is not as much.
    pub(super) fn grow(&mut self, bytes: u64) -> bool {
        let grown = self.buffers.take(bytes);
        self.bytes += if grown { bytes } else { 0 };
        grown
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.buffers.used.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_for_all_and_what_was_used_comes_back() {
        let buffers = Arc::new(Buffers::new(PathBuf::new(), 10));
        let (mut one, mut other) = (Room::new(Arc::clone(&buffers)), Room::new(Arc::clone(&buffers)));
        assert!(one.grow(6) && other.grow(4) && !one.grow(1) && !other.grow(u64::MAX));
        drop(one);
        assert!(other.grow(6) && !other.grow(1));
    }

    #[test]
    fn a_file_has_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let buffers = Buffers::new(directory.path().join("bodies"), 10);
        let _file = buffers.file().unwrap();
        assert_eq!(fs::read_dir(directory.path().join("bodies")).unwrap().count(), 0);
    }
}
