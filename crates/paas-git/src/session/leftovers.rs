use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

/// How deep lock files are looked for below `refs`.
const DEEPEST: usize = 8;

/// Removes what an ended git may have left in a bare repository: quarantine directories, half-written packs, lock files. Says how many.
///
/// Only for a repository in which no git is writing.
pub(super) fn remove(repository: &Path) -> io::Result<usize> {
    let mut removed = remove_from(&repository.join("objects"), |name| {
        name.starts_with("tmp_objdir-") || name.starts_with("incoming-")
    })?;
    removed += remove_from(&repository.join("objects/pack"), |name| name.starts_with("tmp_"))?;
    removed += remove_from(repository, is_lock)?;
    removed += remove_locks(&repository.join("refs"), DEEPEST)?;
    Ok(removed)
}

fn is_lock(name: &str) -> bool {
    Path::new(name).extension() == Some(OsStr::new("lock"))
}

fn remove_locks(directory: &Path, depth: usize) -> io::Result<usize> {
    let mut removed = remove_from(directory, is_lock)?;
    if depth > 0 {
        for entry in entries(directory)? {
            if entry.file_type()?.is_dir() {
                removed += remove_locks(&entry.path(), depth - 1)?;
            }
        }
    }
    Ok(removed)
}

fn remove_from(directory: &Path, is_leftover: impl Fn(&str) -> bool) -> io::Result<usize> {
    let mut removed = 0;
    for entry in entries(directory)? {
        if !entry.file_name().to_str().is_some_and(&is_leftover) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
        removed += 1;
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_leftovers_go_and_links_are_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = root.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "").unwrap();
        let path = root.path().join("1.git");
        let leftovers = [
            "objects/tmp_objdir-incoming-a/pack/tmp_pack_x",
            "objects/pack/tmp_pack_b",
            "refs/heads/main.lock",
            "packed-refs.lock",
        ];
        let kept = ["HEAD", "config", "refs/heads/main", "objects/pack/pack-1.pack"];
        for file in leftovers.iter().chain(&kept) {
            fs::create_dir_all(path.join(file).parent().unwrap()).unwrap();
            fs::write(path.join(file), "").unwrap();
        }
        symlink(&outside, path.join("objects/tmp_objdir-incoming-link")).unwrap();
        assert_eq!(remove(&path).unwrap(), leftovers.len() + 1);
        assert!(outside.join("kept").exists());
        assert!(kept.iter().all(|file| path.join(file).exists()));
        assert_eq!(remove(&path).unwrap(), 0);
    }
}
