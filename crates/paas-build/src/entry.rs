use git2::Oid;
use thiserror::Error;

/// The longest name Linux file systems hold.
const LONGEST_NAME: usize = 255;

/// What stands behind a name in a git tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Whether it has the executable bit.
        executable: bool,
    },
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// One name in a git tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: EntryKind,
    pub(crate) oid: Oid,
}

/// Why a name out of a tree is not written anywhere. git's own checks refuse most of these, but a server need not have been told to make them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EntryError {
    /// Empty, `.`, `..`, or with a `/` or NUL.
    #[error("the name is not a file name")]
    NotName,
    /// `.git` in any case, or `git~1`, which is the same to other systems.
    #[error("the name stands for git's own directory")]
    GitDirectory,
    /// Longer than 255 bytes.
    #[error("the name is longer than {LONGEST_NAME} bytes")]
    TooLong,
    /// Neither file, link, directory nor submodule.
    #[error("the entry has the unknown mode {0:o}")]
    Mode(i32),
    /// Two entries of one directory have the same name.
    #[error("the directory has two entries of that name")]
    Twice,
}

impl EntryKind {
    pub(crate) fn from_mode(mode: i32) -> Result<Self, EntryError> {
        match mode & 0o170_000 {
            0o040_000 => Ok(Self::Directory),
            0o100_000 => Ok(Self::File { executable: mode & 0o111 != 0 }),
            0o120_000 => Ok(Self::Link),
            0o160_000 => Ok(Self::Submodule),
            _ => Err(EntryError::Mode(mode)),
        }
    }
}

/// Whether a name may become part of a path in the tar.
pub(crate) fn check_name(name: &[u8]) -> Result<(), EntryError> {
    match name {
        b"" | b"." | b".." => Err(EntryError::NotName),
        _ if name.iter().any(|b| matches!(b, 0 | b'/')) => Err(EntryError::NotName),
        _ if name.eq_ignore_ascii_case(b".git") || name.eq_ignore_ascii_case(b"git~1") => {
            Err(EntryError::GitDirectory)
        }
        _ if name.len() > LONGEST_NAME => Err(EntryError::TooLong),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        let long = [b'a'; 256];
        for bad in [
            &b""[..],
            b".",
            b"..",
            b"a/b",
            b"/",
            b"a\0",
            b".git",
            b".GIT",
            b".gIt",
            b"git~1",
            b"GIT~1",
            &long,
        ] {
            assert!(check_name(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
        for good in
            [&b".gitignore"[..], b".github", b"git", b"...", b"..a", b"\xff", b"a\\b", b"a\nb", &long[..255]]
        {
            assert!(check_name(good).is_ok(), "{}", String::from_utf8_lossy(good));
        }
    }

    #[test]
    fn modes_are_read() {
        assert_eq!(EntryKind::from_mode(0o100_664), Ok(EntryKind::File { executable: false }));
        assert_eq!(EntryKind::from_mode(0o100_755), Ok(EntryKind::File { executable: true }));
        assert_eq!(EntryKind::from_mode(0o160_000), Ok(EntryKind::Submodule));
        assert_eq!(EntryKind::from_mode(0o060_000), Err(EntryError::Mode(0o060_000)));
    }
}
