use git2::Oid;
use thiserror::Error;

use crate::{
    entry::{Entry, EntryKind},
    ignore::{IgnoreRules, Matches},
    limits::Limits,
    objects::{Objects, ReadError},
    shown::shown,
    tree_path::inside,
};

/// Why a tree cannot be walked to its end.
#[derive(Debug, Error)]
pub enum WalkError {
    /// A submodule would be sent, but a push does not carry its files.
    #[error(
        "{0} is a git submodule, whose files are not part of a push; add its files to this repository \
         (`git rm --cached {0}`, then `git add {0}/`), fetch it in the Dockerfile, or name it in .dockerignore if the build does not need it"
    )]
    Submodule(String),
    /// More entries than allowed.
    #[error("the repository has more than {0} files; name what the build does not need in .dockerignore")]
    Entries(u64),
    /// Directories too deep.
    #[error("{path} is more than {limit} directories deep")]
    Depth {
        /// Where.
        path: String,
        /// Directories.
        limit: usize,
    },
    /// A path too long.
    #[error("the path {path} is longer than {limit} bytes")]
    PathLength {
        /// Its beginning.
        path: String,
        /// Bytes.
        limit: usize,
    },
    /// An object or a name in the directory cannot be used.
    #[error("the directory \"{directory}\" cannot be sent")]
    Read {
        /// Which; `.` is the context itself.
        directory: String,
        /// Why.
        source: ReadError,
    },
}

/// One path that is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'n> {
    pub(crate) path: &'n [u8],
    /// Never a submodule.
    pub(crate) kind: EntryKind,
    pub(crate) oid: Oid,
}

/// Visits what is sent of a tree: names in byte order, a directory before its content, and an excluded directory only if something inside it is
/// sent.
pub(crate) struct Walk<'w, V> {
    objects: &'w Objects,
    rules: &'w IgnoreRules,
    /// Sent even if excluded.
    keep: Option<&'w [u8]>,
    limits: Limits,
    visit: &'w mut V,
    entries: u64,
    path: Vec<u8>,
    /// Open directories: the length of each one's path, and its tree.
    open: Vec<(usize, Oid)>,
    /// How many of them have been visited.
    visited: usize,
}

impl<'w, V, E> Walk<'w, V>
where
    V: FnMut(Node<'_>) -> Result<(), E>,
    E: From<WalkError>,
{
    pub(crate) fn new(
        objects: &'w Objects,
        rules: &'w IgnoreRules,
        keep: Option<&'w [u8]>,
        limits: Limits,
        visit: &'w mut V,
    ) -> Self {
        Self {
            objects,
            rules,
            keep,
            limits,
            visit,
            entries: 0,
            path: Vec::new(),
            open: Vec::new(),
            visited: 0,
        }
    }

    pub(crate) fn run(&mut self, tree: Oid) -> Result<(), E> {
        self.directory(tree, &Matches::default())
    }

    fn directory(&mut self, tree: Oid, parent: &Matches) -> Result<(), E> {
        if self.open.len() > self.limits.depth {
            return Err(WalkError::Depth { path: shown(&self.path), limit: self.limits.depth }.into());
        }
        let entries = self.objects.entries(tree).map_err(|source| {
            let directory = if self.path.is_empty() { ".".to_owned() } else { shown(&self.path) };
            WalkError::Read { directory, source }
        })?;
        for entry in entries {
            let length = self.path.len();
            self.push(&entry.name)?;
            self.entry(&entry, parent)?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, parent: &Matches) -> Result<(), E> {
        let (excluded, matches) = self.rules.check(&self.path, parent);
        let kept = self.keep.is_some_and(|keep| keep == self.path);
        match entry.kind {
            EntryKind::Directory => {
                let leads_to_kept = self.keep.is_some_and(|keep| inside(&self.path, keep).is_some());
                if excluded && !leads_to_kept && !self.rules.may_send_below(&self.path) {
                    return Ok(());
                }
                self.open.push((self.path.len(), entry.oid));
                if !excluded {
                    self.visit_open()?;
                }
                self.directory(entry.oid, &matches)?;
                self.open.pop();
                self.visited = self.visited.min(self.open.len());
                Ok(())
            }
            _ if excluded && !kept => Ok(()),
            EntryKind::Submodule => Err(WalkError::Submodule(shown(&self.path)).into()),
            kind @ (EntryKind::File { .. } | EntryKind::Link) => {
                self.visit_open()?;
                (self.visit)(Node { path: &self.path, kind, oid: entry.oid })
            }
        }
    }

    fn push(&mut self, name: &[u8]) -> Result<(), E> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(WalkError::Entries(self.limits.entries).into());
        }
        if !self.path.is_empty() {
            self.path.push(b'/');
        }
        self.path.extend_from_slice(name);
        if self.path.len() > self.limits.path_bytes {
            let path = shown(self.path.get(..80).unwrap_or(&self.path)) + "…";
            return Err(WalkError::PathLength { path, limit: self.limits.path_bytes }.into());
        }
        Ok(())
    }

    /// Visits the open directories that wait for something to be sent in them.
    fn visit_open(&mut self) -> Result<(), E> {
        for (length, oid) in &self.open[self.visited..] {
            (self.visit)(Node { path: &self.path[..*length], kind: EntryKind::Directory, oid: *oid })?;
        }
        self.visited = self.open.len();
        Ok(())
    }
}
