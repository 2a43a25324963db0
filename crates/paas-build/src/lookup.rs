use git2::Oid;
use thiserror::Error;

use crate::{
    entry::EntryKind,
    limits::LINK_BYTES,
    objects::{Objects, ReadError},
    shown::shown,
};

/// As many links as Linux follows in one path.
const MOST_LINKS: usize = 40;

/// Why a path cannot be followed to its end.
#[derive(Debug, Error)]
pub enum LookupError {
    /// A link leads out of the repository.
    #[error(
        "{link} is a symbolic link to {target}, which is outside the repository; only what is in the repository is read"
    )]
    Outside {
        /// The link's path.
        link: String,
        /// Its target.
        target: String,
    },
    /// Links lead in a circle.
    #[error("{0} is behind more than {MOST_LINKS} symbolic links")]
    Loop(String),
    /// An object is damaged.
    #[error("the repository's objects cannot be read")]
    Read(#[from] ReadError),
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: EntryKind,
    pub(crate) oid: Oid,
    /// Its path without links.
    pub(crate) path: Vec<u8>,
}

/// Follows a path from the root of a tree, links included, as a kernel would whose `/` is that root, except that nothing leads above it.
/// `None`: there is nothing.
pub(crate) fn lookup(objects: &Objects, root: Oid, path: &[u8]) -> Result<Option<Found>, LookupError> {
    let mut trail = Trail { root, directories: Vec::new() };
    let mut pending = parts(path);
    let mut links = 0;
    while let Some(part) = pending.pop() {
        match part.as_slice() {
            b"" | b"." => continue,
            b".." if trail.directories.pop().is_some() => continue,
            b".." => return Ok(None),
            _ => {}
        }
        let entries = objects.entries(trail.tree())?;
        let Some(entry) = entries.into_iter().find(|entry| entry.name == part) else { return Ok(None) };
        match entry.kind {
            EntryKind::Directory => trail.directories.push((entry.name, entry.oid)),
            EntryKind::Link => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(LookupError::Loop(shown(path)));
                }
                let target = objects.read(entry.oid, LINK_BYTES)?;
                if trail.escapes(&target) {
                    return Err(LookupError::Outside {
                        link: shown(&trail.path(&entry.name)),
                        target: shown(&target),
                    });
                }
                pending.extend(parts(&target));
            }
            EntryKind::File { .. } | EntryKind::Submodule if !pending.is_empty() => return Ok(None),
            EntryKind::File { .. } | EntryKind::Submodule => {
                let path = trail.path(&entry.name);
                return Ok(Some(Found { kind: entry.kind, oid: entry.oid, path }));
            }
        }
    }
    let path = trail.directories.iter().map(|(name, _)| name.as_slice()).collect::<Vec<_>>().join(&b'/');
    Ok(Some(Found { kind: EntryKind::Directory, oid: trail.tree(), path }))
}

/// The parts of a path, last first: a stack.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.rsplit(|b| *b == b'/').map(<[u8]>::to_vec).collect()
}

/// The real directories between the root and where we are.
struct Trail {
    root: Oid,
    directories: Vec<(Vec<u8>, Oid)>,
}

impl Trail {
    fn tree(&self) -> Oid {
        self.directories.last().map_or(self.root, |(_, oid)| *oid)
    }

    fn path(&self, name: &[u8]) -> Vec<u8> {
        let names = self.directories.iter().map(|(name, _)| name.as_slice()).chain([name]);
        names.collect::<Vec<_>>().join(&b'/')
    }

    /// Whether a link here with that target climbs above the root. Directories named in the target count as one step down each, also when they
    /// are links themselves; then a later `..` that climbs too far finds nothing.
    fn escapes(&self, target: &[u8]) -> bool {
        if target.starts_with(b"/") {
            return true;
        }
        let mut depth = self.directories.len();
        for part in target.split(|b| *b == b'/') {
            match part {
                b"" | b"." => {}
                b".." if depth == 0 => return true,
                b".." => depth -= 1,
                _ => depth += 1,
            }
        }
        false
    }
}
