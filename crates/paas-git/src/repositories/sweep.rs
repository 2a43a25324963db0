use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use paas_domain::AppId;

use super::{Repositories, remove_tree};

/// How deep lock files are looked for below `refs`.
const DEEPEST: usize = 8;

impl Repositories {
    /// Clears away what a killed `git receive-pack` left in an app's repository and did not touch for `age`: quarantine directories,
    /// half-written packs, lock files that would refuse every later push. Says how many it removed.
    ///
    /// `age` must be longer than the longest deploy, because a push waits in quarantine for its deploy. Run it as the user that owns the
    /// repository.
    pub fn sweep(&self, app: AppId, age: Duration) -> io::Result<usize> {
        let path = self.path(app);
        let Some(before) = SystemTime::now().checked_sub(age) else { return Ok(0) };
        let mut removed = 0;
        removed += sweep_directory(&path.join("objects"), before, |name| {
            name.starts_with("tmp_objdir-") || name.starts_with("incoming-") || name.starts_with("tmp_obj_")
        })?;
        removed += sweep_directory(&path.join("objects/pack"), before, |name| name.starts_with("tmp_"))?;
        removed += sweep_directory(&path, before, is_lock)?;
        removed += sweep_locks(&path.join("refs"), before, DEEPEST)?;
        Ok(removed)
    }
}

fn is_lock(name: &str) -> bool {
    Path::new(name).extension() == Some(OsStr::new("lock"))
}

fn sweep_locks(directory: &Path, before: SystemTime, depth: usize) -> io::Result<usize> {
    let mut removed = sweep_directory(directory, before, is_lock)?;
    if depth > 0 {
        for entry in entries(directory)? {
            if entry.file_type()?.is_dir() {
                removed += sweep_locks(&entry.path(), before, depth - 1)?;
            }
        }
    }
    Ok(removed)
}

fn sweep_directory(directory: &Path, before: SystemTime, wanted: impl Fn(&str) -> bool) -> io::Result<usize> {
    let mut removed = 0;
    for entry in entries(directory)? {
        let old = entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|time| time < before);
        if old && entry.file_name().to_str().is_some_and(&wanted) {
            if entry.file_type()?.is_dir() {
                remove_tree(&entry.path())?;
            } else {
                remove_file(&entry.path())?;
            }
            removed += 1;
        }
    }
    Ok(removed)
}

fn entries(directory: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn only_old_leftovers_go() {
        let root = tempfile::tempdir().unwrap();
        let repositories = Repositories::new(root.path(), "/unused");
        let path = repositories.ensure(AppId(1)).unwrap();
        let leftovers = [
            "objects/tmp_objdir-incoming-a",
            "objects/pack/tmp_pack_b",
            "refs/heads/main.lock",
            "packed-refs.lock",
        ];
        for leftover in leftovers {
            File::create(path.join(leftover)).unwrap();
        }
        assert_eq!(repositories.sweep(AppId(1), Duration::from_hours(1)).unwrap(), 0);
        let old = SystemTime::now() - Duration::from_hours(2);
        for leftover in leftovers.iter().chain(["HEAD", "config"].iter()) {
            File::options().append(true).open(path.join(leftover)).unwrap().set_modified(old).unwrap();
        }
        assert_eq!(repositories.sweep(AppId(1), Duration::from_hours(1)).unwrap(), leftovers.len());
        assert!(path.join("HEAD").exists() && path.join("config").exists());
        assert_eq!(repositories.sweep(AppId(2), Duration::ZERO).unwrap(), 0);
    }
}
