use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::api::ServiceSpec;

/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;

/// The routing table as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// Why a table could not be saved; the one before is still in force.
#[derive(Debug, thiserror::Error)]
#[error("could not {step} {}", path.display())]
pub(crate) struct SaveError {
    step: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl SaveError {
    fn new(step: &'static str, path: &Path, source: io::Error) -> Self {
        Self { step, path: path.to_owned(), source }
    }
}

/// The table's file and, beside it, the table before.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
}

/// Only the format, so that a newer file is told from a broken one.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The table, or the one before when the file is missing or damaged; `None` when there is neither.
    pub(crate) fn load(&self) -> Result<Option<SavedTable>, LoadError> {
        if let Some(table) = read(&self.path)? {
            return Ok(Some(table));
        }
        let previous = read(&self.beside("prev"))?;
        if let Some(table) = &previous {
            tracing::warn!(
                generation = table.generation,
                "the routing table is missing or damaged; using the one before it"
            );
        }
        Ok(previous)
    }

    /// Replaces the table. When this returns it survives a power cut; when it fails the old one does.
    pub(crate) fn save(&self, table: &SavedTable) -> Result<(), SaveError> {
        let temporary = self.beside("new");
        let text =
            serde_json::to_vec(table).map_err(|error| SaveError::new("encode", &self.path, error.into()))?;
        write_synced(&temporary, &text).map_err(|source| SaveError::new("write", &temporary, source))?;
        self.keep_previous().map_err(|source| SaveError::new("keep a copy of", &self.path, source))?;
        fs::rename(&temporary, &self.path).map_err(|source| SaveError::new("replace", &self.path, source))?;
        let directory =
            self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| SaveError::new("sync the directory", directory, source))
    }

    /// A second name for the table in force, put in place by a rename: at every moment both names hold a whole table. A damaged
    /// table does not push out the good one.
    fn keep_previous(&self) -> io::Result<()> {
        if !matches!(read(&self.path), Ok(Some(_))) {
            return Ok(());
        }
        let link = self.beside("link");
        match fs::remove_file(&link) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::hard_link(&self.path, &link)?;
        fs::rename(&link, self.beside("prev"))
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        PathBuf::from(name)
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

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
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
            file.save(&table(generation)).unwrap();
            assert_eq!(file.load().unwrap(), Some(table(generation)));
        }
        assert_eq!(read(&file.beside("prev")).unwrap(), Some(table(2)));
    }

    #[test]
    fn a_file_cut_anywhere_falls_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path().join("table.json"));
        file.save(&table(1)).unwrap();
        file.save(&table(2)).unwrap();
        let whole = fs::read(&file.path).unwrap();
        for length in 0..whole.len() {
            fs::write(&file.path, &whole[..length]).unwrap();
            assert_eq!(file.load().unwrap(), Some(table(1)), "cut to {length} bytes");
        }
        // A damaged table must not become the previous one.
        file.save(&table(3)).unwrap();
        fs::remove_file(&file.path).unwrap();
        assert_eq!(file.load().unwrap(), Some(table(1)));
    }

    #[test]
    fn a_newer_format_is_not_taken_for_damage() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path().join("table.json"));
        fs::write(&file.path, r#"{"format":99,"tables":{}}"#).unwrap();
        assert!(matches!(file.load(), Err(LoadError::Newer { format: 99, .. })));
    }
}
