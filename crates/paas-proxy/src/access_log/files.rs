use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::fs::OFlags;

const DIRECTORY_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o640;
/// Files held open; a file that is opened anew costs one system call more.
const MAX_OPEN: usize = 256;
const SUFFIX: &str = ".log";

/// How much is kept.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Bytes of a file, after which the next begins.
    file: u64,
    /// Files of one service beside the one that is written to.
    older: u32,
    /// Bytes of all files together.
    total: u64,
    /// Bytes written between two looks at the total.
    look: u64,
}

const BOUNDS: Bounds =
    Bounds { file: 10 * 1024 * 1024, older: 3, total: 1024 * 1024 * 1024, look: 16 * 1024 * 1024 };

/// The files of all services: `NAME.log`, and before it `NAME.log.1` to `NAME.log.3`.
///
/// Two processes may write to them at one time, when one takes over from the other: whole lines are appended by single writes, whoever
/// finds a file full renames it under a lock, and both look before each write whether the name still is the file they have open.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    bounds: Bounds,
    open: HashMap<String, Open>,
    /// Written since the last look at the total; the first write looks.
    written: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    inode: u64,
    /// The last write broke off within a line.
    torn: bool,
}

impl Files {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory, bounds: BOUNDS, open: HashMap::new(), written: BOUNDS.look }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Appends whole lines.
    pub(super) fn append(&mut self, service: &str, lines: &[u8]) -> io::Result<()> {
        let length = lines.len() as u64;
        let before = self.current(service)?;
        if before > 0 && before + length > self.bounds.file {
            self.rotate(service, length)?;
            self.current(service)?;
        }
        self.written += length;
        let open = self.open.get_mut(service).ok_or(io::ErrorKind::NotFound)?;
        open.append(lines)?;
        if self.written >= self.bounds.look {
            self.written = 0;
            self.thin_out()?;
        }
        Ok(())
    }

    /// Removes the files of a service.
    pub(super) fn remove(&mut self, service: &str) -> io::Result<()> {
        self.open.remove(service);
        let older = (1..=self.bounds.older).map(|number| self.older(service, number));
        older.chain([self.path(service)]).try_for_each(|path| if_there(fs::remove_file(path)))
    }

    /// Removes the files of all other services. Makes the directory, so that whoever follows a log can watch it.
    pub(super) fn keep_only(&mut self, services: &[String]) -> io::Result<()> {
        self.make_directory()?;
        for found in self.list()? {
            if !services.contains(&found.service) {
                if_there(fs::remove_file(&found.path))?;
            }
        }
        Ok(())
    }

    /// Opens the file that has the service's name now; gives its length.
    fn current(&mut self, service: &str) -> io::Result<u64> {
        let path = self.path(service);
        match fs::symlink_metadata(&path) {
            Ok(found) if self.open.get(service).is_some_and(|open| open.inode == found.ino()) => {
                return Ok(found.len());
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        self.make_directory()?;
        // No waiting for a reader, should somebody have put a pipe there.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(FILE_MODE).custom_flags(flags.bits().cast_signed());
        let file = options.open(&path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(io::Error::other(format!("{} is not a file", path.display())));
        }
        if found.permissions().mode() & 0o7777 != FILE_MODE {
            // The process's umask took the group's right away.
            file.set_permissions(Permissions::from_mode(FILE_MODE))?;
        }
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        self.open.insert(service.to_owned(), Open { file, inode: found.ino(), torn: false });
        Ok(found.len())
    }

    /// Gives the file the name of an older one, unless another process has done so while this one waited.
    fn rotate(&mut self, service: &str, length: u64) -> io::Result<()> {
        let _turn = self.lock()?;
        let path = self.path(service);
        match fs::symlink_metadata(&path) {
            Ok(found) if found.len() + length > self.bounds.file => {}
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(()),
        }
        for number in (1..self.bounds.older).rev() {
            if_there(fs::rename(self.older(service, number), self.older(service, number + 1)))?;
        }
        if_there(fs::rename(&path, self.older(service, 1)))
    }

    /// Removes the files that were written to the longest time ago, until all together are small enough.
    fn thin_out(&mut self) -> io::Result<()> {
        let _turn = self.lock()?;
        let mut found = self.list()?;
        found.sort_by_key(|found| found.written);
        let mut total: u64 = found.iter().map(|found| found.length).sum();
        for found in found {
            if total <= self.bounds.total {
                break;
            }
            if_there(fs::remove_file(&found.path))?;
            total -= found.length;
        }
        Ok(())
    }

    fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(self.directory.join(".lock"))?;
        file.lock()?;
        Ok(file)
    }

    fn list(&self) -> io::Result<Vec<Found>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(service) = name.to_str().and_then(service_of) else { continue };
            // Removed meanwhile, by another process.
            let Ok(found) = entry.metadata() else { continue };
            let written = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let service = service.to_owned();
            all.push(Found { path: entry.path(), service, length: found.len(), written });
        }
        Ok(all)
    }

    fn make_directory(&self) -> io::Result<()> {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => fs::set_permissions(&self.directory, Permissions::from_mode(DIRECTORY_MODE)),
        }
    }

    fn path(&self, service: &str) -> PathBuf {
        self.directory.join(format!("{service}{SUFFIX}"))
    }

    fn older(&self, service: &str, number: u32) -> PathBuf {
        self.directory.join(format!("{service}{SUFFIX}.{number}"))
    }
}

#[derive(Debug)]
struct Found {
    path: PathBuf,
    service: String,
    length: u64,
    written: SystemTime,
}

impl Open {
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.write_all(b"\n")?;
            self.torn = false;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    self.torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whose log has a file of that name.
fn service_of(name: &str) -> Option<&str> {
    let current = match name.rsplit_once('.') {
        Some((current, number)) if number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            current
        }
        _ => name,
    };
    current.strip_suffix(SUFFIX)
}

fn if_there(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(directory: &Path, bounds: Bounds) -> Files {
        Files { bounds, ..Files::new(directory.join("access")) }
    }

    const SMALL: Bounds = Bounds { file: 100, older: 3, total: 1 << 20, look: 1 << 20 };

    /// A line of ten bytes.
    fn line(number: usize) -> String {
        format!("line {number:04}\n")
    }

    fn read(files: &Files, service: &str) -> String {
        let names = (1..=3).rev().map(|number| files.older(service, number)).chain([files.path(service)]);
        names.map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
    }

    fn sizes(files: &Files) -> Vec<(String, u64)> {
        let mut found: Vec<_> = files
            .list()
            .unwrap()
            .iter()
            .map(|found| (found.path.file_name().unwrap().to_str().unwrap().to_owned(), found.length))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_full_file_makes_room_and_the_oldest_goes() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path(), SMALL);
        for number in 0..45 {
            files.append("a", line(number).as_bytes()).unwrap();
        }
        let expected: Vec<_> = [("a.log", 50), ("a.log.1", 100), ("a.log.2", 100), ("a.log.3", 100)]
            .map(|(name, size)| (name.to_owned(), size))
            .into();
        assert_eq!(sizes(&files), expected);
        assert_eq!(read(&files, "a"), (10..45).map(line).collect::<String>());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode(&files.path("a")), mode(&files.directory)), (FILE_MODE, DIRECTORY_MODE));
    }

    #[test]
    fn two_processes_lose_no_line_and_tear_none() {
        let directory = tempfile::tempdir().unwrap();
        let bounds = Bounds { file: 2_000, ..SMALL };
        std::thread::scope(|scope| {
            for process in 0..2 {
                let mut files = files(directory.path(), bounds);
                scope.spawn(move || {
                    for number in 0..300 {
                        files.append("a", line(process * 1_000 + number).as_bytes()).unwrap();
                    }
                });
            }
        });
        let files = files(directory.path(), bounds);
        let mut lines: Vec<String> = read(&files, "a").split_inclusive('\n').map(str::to_owned).collect();
        lines.sort();
        let expected: Vec<String> = (0..300).chain(1_000..1_300).map(line).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn all_files_together_are_bounded_and_the_latest_stay() {
        let directory = tempfile::tempdir().unwrap();
        let bounds = Bounds { total: 250, look: 50, ..SMALL };
        let mut files = files(directory.path(), bounds);
        for service in ["old", "new"] {
            for number in 0..25 {
                files.append(service, line(number).as_bytes()).unwrap();
            }
        }
        files.thin_out().unwrap();
        let total: u64 = sizes(&files).iter().map(|(_, size)| size).sum();
        assert!(total <= 250, "{:?}", sizes(&files));
        assert!(read(&files, "new").ends_with(&line(24)));
        files.append("old", b"again\n").unwrap();
        assert!(read(&files, "old").ends_with("again\n"), "a file that was removed is made anew");
    }

    #[test]
    fn a_deleted_service_leaves_nothing_and_takes_nothing_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path(), SMALL);
        for service in ["a", "a.log", "b", "c"] {
            for number in 0..15 {
                files.append(service, line(number).as_bytes()).unwrap();
            }
        }
        files.remove("a").unwrap();
        files.keep_only(&["a.log".to_owned(), "c".to_owned()]).unwrap();
        let names: Vec<_> = sizes(&files).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.log.log", "a.log.log.1", "c.log", "c.log.1"]);
    }

    #[test]
    fn a_line_that_broke_off_is_closed_before_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path(), SMALL);
        files.append("a", b"brok").unwrap();
        files.open.get_mut("a").unwrap().torn = true;
        files.append("a", b"whole\n").unwrap();
        assert_eq!(read(&files, "a"), "brok\nwhole\n");
    }

    #[test]
    fn a_link_in_the_place_of_a_log_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path(), SMALL);
        files.keep_only(&[]).unwrap();
        let elsewhere = directory.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, files.path("a")).unwrap();
        assert!(files.append("a", b"x\n").is_err());
        assert!(!elsewhere.exists());
    }
}
