use std::{
    io::{self, Read as _, Write},
    path::Path,
};

use git2::{ObjectType, Odb, Oid, Repository};
use thiserror::Error;

use crate::{
    entry::{Entry, EntryError, EntryKind, check_name},
    shown::shown,
};

/// Above this a file is streamed if it can be: libgit2 streams loose objects, which is what a small push leaves.
const STREAM_ABOVE: u64 = 1 << 20;

/// Why an object of the commit cannot be used.
#[derive(Debug, Error)]
pub enum ReadError {
    /// It is missing or damaged.
    #[error(
        "git object {oid} cannot be read; push again, and if it stays, `git fsck` in your clone says what is damaged"
    )]
    Object {
        /// Its id.
        oid: Oid,
        /// libgit2's words.
        source: git2::Error,
    },
    /// It is not what its tree says it is.
    #[error("git object {0} is not of the kind its tree says; `git fsck` in your clone says what is damaged")]
    Kind(Oid),
    /// It is larger than this kind of file may be.
    #[error("git object {oid} has {size} bytes, more than the {limit} read here")]
    TooLarge {
        /// Its id.
        oid: Oid,
        /// Bytes.
        size: u64,
        /// Bytes.
        limit: u64,
    },
    /// A tree has a name that is not written anywhere.
    #[error("the entry \"{name}\" cannot be used; rename it and push again")]
    Entry {
        /// The name, fit to be shown.
        name: String,
        /// The rule.
        source: EntryError,
    },
}

/// The object database of a repository, open in one thread. It is opened without the repository around it, so no configuration is read and no
/// owner of a directory matters.
pub(crate) struct Objects {
    repository: Repository,
}

impl Objects {
    /// Opens `<repository>/objects` and, if there is one, a quarantine beside it.
    pub(crate) fn open(objects: &Path, quarantine: Option<&Path>) -> Result<Self, git2::Error> {
        relax();
        let odb = Odb::new()?;
        for directory in [Some(objects), quarantine].into_iter().flatten() {
            let path = directory.to_str().ok_or_else(|| git2::Error::from_str("the path is not UTF-8"))?;
            odb.add_disk_alternate(path)?;
        }
        Ok(Self { repository: Repository::from_odb(odb)? })
    }

    pub(crate) fn commit(&self, id: Oid) -> Result<git2::Commit<'_>, git2::Error> {
        self.repository.find_object(id, None)?.peel_to_commit()
    }

    /// The entries of a tree in the order of their names' bytes, every name checked.
    pub(crate) fn entries(&self, tree: Oid) -> Result<Vec<Entry>, ReadError> {
        let tree =
            self.repository.find_tree(tree).map_err(|source| ReadError::Object { oid: tree, source })?;
        let mut entries = Vec::with_capacity(tree.len());
        for entry in &tree {
            let name = entry.name_bytes().to_vec();
            let kind = check_name(&name).and_then(|()| EntryKind::from_mode(entry.filemode_raw()));
            let kind = kind.map_err(|source| ReadError::Entry { name: shown(&name), source })?;
            entries.push(Entry { name, kind, oid: entry.id() });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        match entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
            Some(pair) => Err(ReadError::Entry { name: shown(&pair[0].name), source: EntryError::Twice }),
            None => Ok(entries),
        }
    }

    /// Bytes of a blob, without reading it.
    pub(crate) fn size(&self, oid: Oid) -> Result<u64, ReadError> {
        let (size, kind) =
            self.odb()?.read_header(oid).map_err(|source| ReadError::Object { oid, source })?;
        if kind == ObjectType::Blob { Ok(size as u64) } else { Err(ReadError::Kind(oid)) }
    }

    /// A blob of at most `limit` bytes.
    pub(crate) fn read(&self, oid: Oid, limit: u64) -> Result<Vec<u8>, ReadError> {
        let size = self.size(oid)?;
        if size > limit {
            return Err(ReadError::TooLarge { oid, size, limit });
        }
        let odb = self.odb()?;
        let object = odb.read(oid).map_err(|source| ReadError::Object { oid, source })?;
        Ok(object.data().to_vec())
    }

    /// Writes a blob that [`Objects::size`] said has `size` bytes. What arrives at `out` has exactly that many, or there is an error.
    pub(crate) fn copy(&self, oid: Oid, size: u64, out: &mut impl Write) -> io::Result<()> {
        let odb = self.odb().map_err(io::Error::other)?;
        if size > STREAM_ABOVE
            && let Ok((reader, length, ObjectType::Blob)) = odb.reader(oid)
            && length as u64 == size
        {
            let copied = io::copy(&mut reader.take(size), out)?;
            return if copied == size { Ok(()) } else { Err(cut_short(oid)) };
        }
        let object = odb.read(oid).map_err(|source| io::Error::other(ReadError::Object { oid, source }))?;
        if object.data().len() as u64 != size {
            return Err(cut_short(oid));
        }
        out.write_all(object.data())
    }

    fn odb(&self) -> Result<Odb<'_>, ReadError> {
        self.repository.odb().map_err(|source| ReadError::Object { oid: Oid::ZERO_SHA1, source })
    }
}

fn cut_short(oid: Oid) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("git object {oid} is shorter than it says"))
}

/// git has hashed every object when it received it; hashing again doubles the time of a large context. The setting is libgit2's, for the process.
fn relax() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| git2::opts::strict_hash_verification(false));
}
