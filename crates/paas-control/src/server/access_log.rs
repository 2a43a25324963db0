use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::{
        fd::OwnedFd,
        unix::fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, Mode, OFlags, openat};

/// Files before the one that is written to.
const OLDER: u32 = 3;
/// The most that is read back, in bytes: some lines are long.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The first look at a file's end, in bytes.
const FIRST_LOOK: u64 = 64 * 1024;
/// The longest line; a longer one is no line of the proxy's.
const LONGEST: usize = 256 * 1024;

/// Where the proxy keeps access logs. The proxy writes there and control, which reads, is root: nothing below the trusted directory
/// is followed that is a link, or read that is no file, else whoever took the proxy over could have any file shown.
#[derive(Debug, Clone)]
pub struct AccessLogDirectory {
    trusted: PathBuf,
    below: &'static [&'static str],
}

impl AccessLogDirectory {
    /// In `proxy/access` below the data directory.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { trusted: data.into(), below: &["proxy", "access"] }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.below.iter().fold(self.trusted.clone(), |path, name| path.join(name))
    }

    /// Opens it as it is now.
    pub(super) fn open(&self) -> io::Result<OpenDirectory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut directory = openat(CWD, &self.trusted, flags, Mode::empty())?;
        for name in self.below {
            directory = openat(&directory, *name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(OpenDirectory(directory))
    }
}

/// The directory of the access logs, held open.
#[derive(Debug)]
pub(super) struct OpenDirectory(OwnedFd);

impl OpenDirectory {
    /// The file that is written to now, if there is one.
    fn current(&self, service: &str) -> io::Result<Option<File>> {
        self.file(&format!("{service}.log"))
    }

    fn file(&self, name: &str) -> io::Result<Option<File>> {
        // Not waiting, should it be a pipe.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match openat(&self.0, Path::new(name), flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(io::Error::other("it is no file")) }
    }
}

/// The last `count` lines of a service, oldest first, and where its log goes on. `None` when it has no file.
pub(super) fn tail(directory: &OpenDirectory, service: &str, count: usize) -> io::Result<Option<Tail>> {
    let current = directory.current(service)?;
    let (mut lines, mut seen, mut left) = (VecDeque::new(), Vec::new(), MOST_BYTES);
    let mut position = 0;
    let mut found = current.is_some();
    let older = (1..=OLDER).map(|number| directory.file(&format!("{service}.log.{number}")));
    for (place, file) in
        std::iter::once(current.as_ref().map(File::try_clone).transpose()).chain(older).enumerate()
    {
        let Some(file) = file? else { continue };
        found = true;
        let metadata = file.metadata()?;
        // It got an older one's name while we read.
        if seen.contains(&metadata.ino()) {
            continue;
        }
        seen.push(metadata.ino());
        let wanted = count.saturating_sub(lines.len());
        let last = last_lines(&file, metadata.len(), wanted, &mut left)?;
        if place == 0 {
            position = last.end;
        }
        for line in last.lines.into_iter().rev() {
            lines.push_front(line);
        }
        if lines.len() >= count || left == 0 {
            break;
        }
    }
    Ok(found.then(|| Tail { lines: lines.into(), reader: Reader { file: current, position } }))
}

/// What a log ends with.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) lines: Vec<String>,
    pub(super) reader: Reader,
}

struct LastLines {
    lines: Vec<String>,
    /// The end of the last of them, in bytes from the file's beginning.
    end: u64,
}

/// Reads from the end, each time four times as far, until there are lines enough.
fn last_lines(file: &File, length: u64, count: usize, left: &mut u64) -> io::Result<LastLines> {
    let mut look = FIRST_LOOK;
    loop {
        let size = look.min(length).min((*left).max(FIRST_LOOK));
        let begin = length - size;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        file.read_exact_at(&mut bytes, begin)?;
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(end);
        let all = bytes.split_inclusive(|byte| *byte == b'\n').count();
        // One more, because the first may begin before what was read.
        if all > count || size == length || size >= *left {
            *left = left.saturating_sub(size);
            let whole = if size == length { all } else { all.saturating_sub(1) };
            let skip = all - whole.min(count);
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').skip(skip).map(text).collect();
            return Ok(LastLines {
                lines,
                end: if end == 0 && size < length { length } else { begin + end as u64 },
            });
        }
        look *= 4;
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(line)).into_owned()
}

/// Reads on where it was, also in the file that follows.
#[derive(Debug, Default)]
pub(super) struct Reader {
    file: Option<File>,
    position: u64,
}

impl Reader {
    /// The lines that came since, at most about a megabyte of them; none when there are none.
    pub(super) fn next(&mut self, directory: &OpenDirectory, service: &str) -> io::Result<Vec<String>> {
        loop {
            let current = directory.current(service)?;
            // Looked for before the last read of the old one: whatever was written there before is read.
            let followed = match (&self.file, &current) {
                (Some(file), Some(current)) => file.metadata()?.ino() != current.metadata()?.ino(),
                (None, Some(_)) => true,
                (_, None) => false,
            };
            let lines = self.read()?;
            if !lines.is_empty() || !followed {
                return Ok(lines);
            }
            *self = Self { file: current, position: 0 };
        }
    }

    fn read(&mut self) -> io::Result<Vec<String>> {
        let Some(file) = &mut self.file else { return Ok(Vec::new()) };
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        file.take(1024 * 1024).read_to_end(&mut bytes)?;
        let end = match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if bytes.len() > LONGEST => bytes.len(),
            // Not written to its end yet.
            None => 0,
        };
        bytes.truncate(end);
        self.position += end as u64;
        Ok(bytes.split_inclusive(|byte| *byte == b'\n').map(text).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    struct Logs {
        data: tempfile::TempDir,
        directory: OpenDirectory,
    }

    impl Logs {
        fn new() -> Self {
            let data = tempfile::tempdir().unwrap();
            fs::create_dir_all(data.path().join("proxy/access")).unwrap();
            let directory = AccessLogDirectory::new(data.path()).open().unwrap();
            Self { data, directory }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.data.path().join("proxy/access").join(name)
        }

        fn write(&self, name: &str, numbers: std::ops::Range<usize>) {
            let lines: String = numbers.map(|number| line(number) + "\n").collect();
            let before = fs::read_to_string(self.path(name)).unwrap_or_default();
            fs::write(self.path(name), before + &lines).unwrap();
        }

        fn tail(&self, count: usize) -> Vec<String> {
            tail(&self.directory, "a", count).unwrap().unwrap().lines
        }
    }

    /// A line of a hundred bytes.
    fn line(number: usize) -> String {
        format!("{number:099}")
    }

    fn lines(numbers: std::ops::Range<usize>) -> Vec<String> {
        numbers.map(line).collect()
    }

    #[test]
    fn the_last_lines_are_found_over_all_files() {
        let logs = Logs::new();
        assert!(tail(&logs.directory, "a", 10).unwrap().is_none());
        logs.write("a.log.2", 0..2_000);
        logs.write("a.log.1", 2_000..4_000);
        logs.write("a.log", 4_000..4_010);
        for count in [0, 1, 10, 11, 2_010, 2_011, 4_010] {
            assert_eq!(logs.tail(count), lines(4_010 - count..4_010), "{count}");
        }
        assert_eq!(logs.tail(9_999).len(), 4_010);
    }

    #[test]
    fn a_line_that_is_not_whole_waits_for_its_end() {
        let logs = Logs::new();
        fs::write(logs.path("a.log"), "one\ntw").unwrap();
        let mut found = tail(&logs.directory, "a", 5).unwrap().unwrap();
        assert_eq!(found.lines, ["one"]);
        assert!(found.reader.next(&logs.directory, "a").unwrap().is_empty());
        fs::write(logs.path("a.log"), "one\ntwo\n").unwrap();
        assert_eq!(found.reader.next(&logs.directory, "a").unwrap(), ["two"]);
    }

    #[test]
    fn reading_goes_on_in_the_file_that_follows() {
        let logs = Logs::new();
        logs.write("a.log", 0..3);
        let mut reader = tail(&logs.directory, "a", 0).unwrap().unwrap().reader;
        logs.write("a.log", 3..5);
        fs::rename(logs.path("a.log"), logs.path("a.log.1")).unwrap();
        logs.write("a.log", 5..6);
        let mut next = || reader.next(&logs.directory, "a").unwrap();
        assert_eq!((next(), next()), (lines(3..5), lines(5..6)));
        assert!(next().is_empty());
        fs::remove_file(logs.path("a.log")).unwrap();
        assert!(next().is_empty());
        logs.write("a.log", 7..8);
        assert_eq!(next(), lines(7..8));
    }

    #[test]
    fn what_the_proxy_puts_in_the_place_of_a_log_is_not_read() {
        let logs = Logs::new();
        fs::write(logs.data.path().join("secret.key"), "secret\n").unwrap();
        symlink(logs.data.path().join("secret.key"), logs.path("a.log")).unwrap();
        assert!(tail(&logs.directory, "a", 5).is_err());
        fs::remove_file(logs.path("a.log")).unwrap();
        fs::create_dir(logs.path("a.log")).unwrap();
        assert!(tail(&logs.directory, "a", 5).is_err());
        let elsewhere = tempfile::tempdir().unwrap();
        fs::create_dir(elsewhere.path().join("proxy")).unwrap();
        symlink(logs.data.path(), elsewhere.path().join("proxy/access")).unwrap();
        assert!(AccessLogDirectory::new(elsewhere.path()).open().is_err());
    }
}
