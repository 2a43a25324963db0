use git2::Oid;

use crate::{
    ignore::IgnoreRules,
    limits::Limits,
    objects::Objects,
    walk::{Node, Walk, WalkError},
};

/// What will be sent: known when the plan is made, before the first byte goes out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContextStats {
    /// Regular files.
    pub files: u64,
    /// Directories.
    pub directories: u64,
    /// Symbolic links.
    pub links: u64,
    /// Bytes of the files' contents, without the tar's own.
    pub bytes: u64,
}

/// Everything that decides the bytes of the tar.
#[derive(Debug)]
pub(crate) struct Context {
    /// The context directory's tree.
    pub(crate) tree: Oid,
    pub(crate) rules: IgnoreRules,
    /// The Dockerfile inside the context: sent even if excluded.
    pub(crate) keep: Option<Vec<u8>>,
    /// A Dockerfile from outside the context, and the name it gets inside.
    pub(crate) extra: Option<(String, Oid)>,
    pub(crate) limits: Limits,
}

impl Context {
    /// Visits everything that is sent but the extra Dockerfile.
    pub(crate) fn walk<V, E>(&self, objects: &Objects, visit: &mut V) -> Result<(), E>
    where
        V: FnMut(Node<'_>) -> Result<(), E>,
        E: From<WalkError>,
    {
        Walk::new(objects, &self.rules, self.keep.as_deref(), self.limits, visit).run(self.tree)
    }
}
