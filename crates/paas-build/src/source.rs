use std::{
    fmt,
    path::{Path, PathBuf},
};

use git2::Oid;
use paas_domain::{CommitId, NameError};
use thiserror::Error;

use crate::{
    commit::CommitInfo,
    entry::EntryKind,
    ignore::IgnoreRules,
    limits::{Limits, TEXT_BYTES},
    lookup::{Found, LookupError, lookup},
    objects::Objects,
    quarantine::{self, QuarantineError},
    tree_path::{TreePath, TreePathError},
    walk::{Node, Walk, WalkError},
};

/// Why a commit cannot be opened.
#[derive(Debug, Error)]
pub enum SourceError {
    /// There is no bare repository.
    #[error("{0} is not a bare git repository")]
    NotRepository(PathBuf),
    /// The quarantine is not one.
    #[error("the pushed objects cannot be used")]
    Quarantine(#[from] QuarantineError),
    /// Not a whole commit id.
    #[error("the commit to deploy is not named by its id")]
    CommitId(#[from] NameError),
    /// A repository in git's SHA-256 format.
    #[error("commit {0} has a SHA-256 id; push from a repository in git's usual SHA-1 format")]
    Sha256(CommitId),
    /// The object database cannot be opened.
    #[error("the git objects in {path} cannot be opened")]
    Open {
        /// Where.
        path: PathBuf,
        /// libgit2's words.
        source: git2::Error,
    },
    /// The commit is missing, damaged, or not a commit.
    #[error("commit {id} cannot be read from the repository")]
    Commit {
        /// Which.
        id: CommitId,
        /// libgit2's words.
        source: git2::Error,
    },
}

/// One commit of a bare repository, with the quarantine of the push that brings it. It holds no open file: each use opens the object database in
/// its own thread and checks the quarantine again, so it can be cloned and sent to `spawn_blocking`. Every method blocks on the disk.
#[derive(Clone)]
pub struct Source {
    objects: PathBuf,
    quarantine: Option<PathBuf>,
    tree: Oid,
    commit: CommitInfo,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("objects", &self.objects)
            .field("commit", &self.commit)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// Opens a commit by its whole id; an annotated tag's id leads to its commit.
    pub fn open(repo: &Path, quarantine: Option<&Path>, commit: &str) -> Result<Self, SourceError> {
        let id = CommitId::new(commit)?;
        if id.as_str().len() != 40 {
            return Err(SourceError::Sha256(id));
        }
        let objects = repo.join("objects");
        let objects = objects.canonicalize().map_err(|_| SourceError::NotRepository(repo.to_owned()))?;
        let unreadable = |source| SourceError::Commit { id: id.clone(), source };
        let database = open(&objects, quarantine)?;
        let found = database.commit(Oid::from_str(id.as_str()).map_err(unreadable)?).map_err(unreadable)?;
        let info = CommitInfo::of(CommitId::new(found.id().to_string())?, &found);
        Ok(Self { tree: found.tree_id(), commit: info, quarantine: quarantine.map(Path::to_owned), objects })
    }

    /// What is shown of the commit.
    pub fn commit(&self) -> &CommitInfo {
        &self.commit
    }

    /// A file of at most 1 MiB; `None` if there is none of that name. Links are followed inside the tree.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, SourceReadError> {
        let path = TreePath::new(path)?;
        let objects = self.objects()?;
        match lookup(&objects, self.tree, path.as_bytes())? {
            Some(Found { kind: EntryKind::File { .. }, oid, .. }) => {
                Ok(Some(objects.read(oid, TEXT_BYTES).map_err(LookupError::from)?))
            }
            _ => Ok(None),
        }
    }

    /// Calls `visit` with the path and kind of every directory, file and link, each directory before what is in it, names in byte order.
    pub fn walk(&self, mut visit: impl FnMut(&[u8], EntryKind)) -> Result<(), SourceReadError> {
        let objects = self.objects()?;
        let rules = IgnoreRules::default();
        let mut visit = |node: Node<'_>| {
            visit(node.path, node.kind);
            Ok::<(), WalkError>(())
        };
        Walk::new(&objects, &rules, None, Limits::default(), &mut visit).run(self.tree)?;
        Ok(())
    }

    pub(crate) fn tree(&self) -> Oid {
        self.tree
    }

    pub(crate) fn objects(&self) -> Result<Objects, SourceError> {
        open(&self.objects, self.quarantine.as_deref())
    }
}

/// Why something in a commit cannot be read.
#[derive(Debug, Error)]
pub enum SourceReadError {
    /// The repository cannot be opened any more.
    #[error("the repository cannot be opened")]
    Source(#[from] SourceError),
    /// The path is not one.
    #[error("the path cannot be used")]
    Path(#[from] TreePathError),
    /// The path leads outside, or an object is damaged.
    #[error("the file cannot be read")]
    Lookup(#[from] LookupError),
    /// The tree cannot be walked.
    #[error("the files cannot be listed")]
    Walk(#[from] WalkError),
}

fn open(objects: &Path, quarantine: Option<&Path>) -> Result<Objects, SourceError> {
    let quarantine = quarantine.map(|path| quarantine::checked(objects, path)).transpose()?;
    let opened = Objects::open(objects, quarantine.as_deref());
    opened.map_err(|source| SourceError::Open { path: objects.to_owned(), source })
}
