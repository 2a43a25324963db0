//! Bare repositories made without git's own checks, so that hostile trees can be made too.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use futures_util::StreamExt as _;
use git2::{ObjectType, Oid, Repository, Signature};
use paas_build::{BuildPlan, PlanError, Settings, Source, context_stream, plan};
use tempfile::TempDir;

pub(crate) const DOCKERFILE: &str = "FROM scratch\nCOPY . /\n";

pub(crate) enum Item {
    File(Vec<u8>),
    Program(Vec<u8>),
    Link(Vec<u8>),
    Submodule,
    /// Any mode and object, as a hostile client could send it.
    Raw(u32, Oid),
}

pub(crate) fn file(content: impl AsRef<[u8]>) -> Item {
    Item::File(content.as_ref().to_vec())
}

pub(crate) fn link(target: impl AsRef<[u8]>) -> Item {
    Item::Link(target.as_ref().to_vec())
}

#[derive(Default)]
struct Directory {
    entries: Vec<(Vec<u8>, u32, Oid)>,
    directories: BTreeMap<Vec<u8>, Directory>,
}

pub(crate) struct Repo {
    pub(crate) temp: TempDir,
    pub(crate) git: Repository,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let git = Repository::init_bare(temp.path().join("1.git")).unwrap();
        Self { temp, git }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.temp.path().join("1.git")
    }

    pub(crate) fn blob(&self, content: &[u8]) -> Oid {
        self.git.odb().unwrap().write(ObjectType::Blob, content).unwrap()
    }

    /// A tree object with exactly these entries, in this order.
    pub(crate) fn raw_tree(&self, entries: &[(&[u8], u32, Oid)]) -> Oid {
        let mut bytes = Vec::new();
        for (name, mode, oid) in entries {
            bytes.extend(
                format!("{mode:o} ")
                    .bytes()
                    .chain(name.iter().copied())
                    .chain([0])
                    .chain(oid.as_bytes().iter().copied()),
            );
        }
        self.git.odb().unwrap().write(ObjectType::Tree, &bytes).unwrap()
    }

    pub(crate) fn commit_tree(&self, tree: Oid) -> String {
        let who = "tree 0\nauthor Ada \x1b[31m <ada@example.com> 1700000000 +0000\ncommitter Ada <ada@example.com> 1700000001 +0000\n\nFirst\x07 line\n\nmore\n";
        let text = who.replacen("tree 0", &format!("tree {tree}"), 1);
        self.git.odb().unwrap().write(ObjectType::Commit, text.as_bytes()).unwrap().to_string()
    }

    pub(crate) fn commit<P: AsRef<[u8]>>(&self, items: impl IntoIterator<Item = (P, Item)>) -> String {
        let mut root = Directory::default();
        for (path, item) in items {
            let mut directory = &mut root;
            let mut parts: Vec<Vec<u8>> = path.as_ref().split(|b| *b == b'/').map(<[u8]>::to_vec).collect();
            let name = parts.pop().unwrap();
            for part in parts {
                directory = directory.directories.entry(part).or_default();
            }
            let (mode, oid) = match item {
                Item::File(content) => (0o100_644, self.blob(&content)),
                Item::Program(content) => (0o100_755, self.blob(&content)),
                Item::Link(target) => (0o120_000, self.blob(&target)),
                Item::Submodule => (0o160_000, self.blob(b"stands for a commit elsewhere")),
                Item::Raw(mode, oid) => (mode, oid),
            };
            directory.entries.push((name, mode, oid));
        }
        let tree = self.directory(root);
        self.commit_tree(tree)
    }

    fn directory(&self, directory: Directory) -> Oid {
        let mut entries = directory.entries;
        entries.extend(
            directory.directories.into_iter().map(|(name, inner)| (name, 0o040_000, self.directory(inner))),
        );
        entries.sort_by_key(
            |(name, mode, _)| if *mode == 0o040_000 { [name, &b"/"[..]].concat() } else { name.clone() },
        );
        let entries: Vec<_> =
            entries.iter().map(|(name, mode, oid)| (name.as_slice(), *mode, *oid)).collect();
        self.raw_tree(&entries)
    }

    pub(crate) fn source(&self, commit: &str) -> Source {
        Source::open(&self.path(), None, commit).unwrap()
    }

    pub(crate) fn plan<P: AsRef<[u8]>>(
        &self,
        items: impl IntoIterator<Item = (P, Item)>,
    ) -> Result<BuildPlan, PlanError> {
        plan(&self.source(&self.commit(items)), &Settings::default())
    }

    /// Plans and sends a commit, and reads the tar back.
    pub(crate) fn send(&self, commit: &str, settings: &Settings) -> Sent {
        let source = self.source(commit);
        let plan = plan(&source, settings).unwrap();
        let bytes = collect(&source, &plan);
        Sent { entries: read(&bytes), bytes, plan }
    }
}

pub(crate) fn signature() -> Signature<'static> {
    Signature::now("Ada", "ada@example.com").unwrap()
}

pub(crate) struct Sent {
    pub(crate) plan: BuildPlan,
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<Sending>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sending {
    pub(crate) name: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) target: Option<Vec<u8>>,
    pub(crate) content: Vec<u8>,
}

impl Sent {
    pub(crate) fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect()
    }

    pub(crate) fn find(&self, name: &str) -> &Sending {
        self.entries.iter().find(|entry| entry.name == name.as_bytes()).unwrap()
    }
}

pub(crate) fn collect(source: &Source, plan: &BuildPlan) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut stream = context_stream(source, plan);
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        bytes
    })
}

pub(crate) fn read(bytes: &[u8]) -> Vec<Sending> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        assert_eq!(
            (entry.header().uid().unwrap(), entry.header().gid().unwrap(), entry.header().mtime().unwrap()),
            (0, 0, 0)
        );
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        Sending {
            name: entry.path_bytes().into_owned(),
            mode: entry.header().mode().unwrap(),
            target: entry.link_name_bytes().map(std::borrow::Cow::into_owned),
            content,
        }
    });
    entries.collect()
}

/// An error with everything behind it, as it is shown.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text = format!("{text}: {error}");
        next = error.source();
    }
    text
}

pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
