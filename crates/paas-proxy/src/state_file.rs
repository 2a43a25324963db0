use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    api::ServiceSpec,
    durable_file::{DurableFile, SaveError},
};

/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;

/// It holds hashes of passwords.
const MODE: u32 = 0o600;

/// The routing table as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct SavedTable {
    format: u32,
    pub(crate) generation: u64,
    pub(crate) services: Vec<ServiceSpec>,
}

impl SavedTable {
    pub(crate) fn new(generation: u64, services: Vec<ServiceSpec>) -> Self {
        Self { format: FORMAT, generation, services }
    }
}

/// The same on its way there.
#[derive(Serialize)]
struct Saving<'a> {
    format: u32,
    generation: u64,
    services: &'a [&'a ServiceSpec],
}

/// Why no table could be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A newer version wrote the file.
    #[error("{} has format {format}, this version reads up to {FORMAT}; start the newer version again", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
}

/// The table's file and, beside it, the table before.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    file: DurableFile,
    /// The file as it was when it was last known to hold a table.
    good: Arc<Mutex<Option<Stamp>>>,
}

/// Tells a file from another one in its place: inode, length, and the time of its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64);

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self(found.ino(), found.len(), found.ctime(), found.ctime_nsec()))
    }
}

/// Only the format, so that a newer file is told from a broken one.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { file: DurableFile::new(path, MODE), good: Arc::default() }
    }

    /// The table, or the one before when the file is missing or damaged; `None` when there is neither.
    pub(crate) fn load(&self) -> Result<Option<SavedTable>, LoadError> {
        if let Err(error) = self.file.narrow() {
            let path = self.file.path().display();
            tracing::warn!(%path, error = %error, "others may read the routing table; set its mode to 600");
        }
        if let Some(table) = read(self.file.path())? {
            return Ok(Some(table));
        }
        let previous = read(&self.file.previous())?;
        if let Some(table) = &previous {
            tracing::warn!(
                generation = table.generation,
                "the routing table is missing or damaged; using the one before it"
            );
        }
        Ok(previous)
    }

    /// Replaces the table. When this returns it survives a power cut; when it fails the old one does.
    pub(crate) fn save(&self, generation: u64, services: &[&ServiceSpec]) -> Result<(), SaveError> {
        let path = self.file.path();
        let text = serde_json::to_vec(&Saving { format: FORMAT, generation, services })
            .map_err(|error| SaveError::new("encode", path, error.into()))?;
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        // Read again only when somebody else has touched it: with many services that takes longer than all the rest.
        let untouched = good.is_some() && *good == Stamp::of(path);
        let old_is_good = untouched || matches!(read(path), Ok(Some(_)));
        *good = None;
        self.file.replace(&text, old_is_good)?;
        *good = Stamp::of(path);
        Ok(())
    }
}

/// `None` when there is no such file or it holds no table.
fn read(path: &Path) -> Result<Option<SavedTable>, LoadError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LoadError::Read { path: path.to_owned(), source }),
    };
    match serde_json::from_slice::<FormatOnly>(&bytes) {
        Ok(FormatOnly { format }) if format > FORMAT => {
            Err(LoadError::Newer { path: path.to_owned(), format })
        }
        Ok(_) => Ok(serde_json::from_slice(&bytes).map_err(|error| damaged(path, &error)).ok()),
        Err(error) => {
            damaged(path, &error);
            Ok(None)
        }
    }
}

fn damaged(path: &Path, error: &serde_json::Error) {
    tracing::error!(path = %path.display(), error = %error, "the file holds no routing table");
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn table(generation: u64) -> SavedTable {
        SavedTable::new(generation, Vec::new())
    }

    #[test]
    fn what_is_saved_is_loaded_and_the_one_before_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path().join("table.json"));
        assert_eq!(file.load().unwrap(), None);
        for generation in 1..=3 {
            file.save(generation, &[]).unwrap();
            assert_eq!(file.load().unwrap(), Some(table(generation)));
        }
        assert_eq!(read(&file.file.previous()).unwrap(), Some(table(2)));
    }

    #[test]
    fn a_file_cut_anywhere_falls_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path().join("table.json"));
        file.save(1, &[]).unwrap();
        file.save(2, &[]).unwrap();
        let whole = fs::read(file.file.path()).unwrap();
        for length in 0..whole.len() {
            fs::write(file.file.path(), &whole[..length]).unwrap();
            assert_eq!(file.load().unwrap(), Some(table(1)), "cut to {length} bytes");
        }
        // A damaged table must not become the previous one.
        file.save(3, &[]).unwrap();
        fs::remove_file(file.file.path()).unwrap();
        assert_eq!(file.load().unwrap(), Some(table(1)));
    }

    #[test]
    fn a_newer_format_is_not_taken_for_damage() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path().join("table.json"));
        fs::write(file.file.path(), r#"{"format":99,"tables":{}}"#).unwrap();
        assert!(matches!(file.load(), Err(LoadError::Newer { format: 99, .. })));
    }

    #[test]
    fn nobody_else_may_read_it_however_old_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path().join("table.json"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        file.save(1, &[]).unwrap();
        file.save(2, &[]).unwrap();
        let both = [file.file.path().to_owned(), file.file.previous()];
        assert_eq!(both.each_ref().map(|path| mode(path)), [0o600; 2]);
        for path in &both {
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        assert_eq!(file.load().unwrap(), Some(table(2)));
        assert_eq!(both.each_ref().map(|path| mode(path)), [0o600; 2]);
    }
}
