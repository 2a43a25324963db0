use crate::{
    context::{Context, ContextStats},
    entry::EntryKind,
    limits::LINK_BYTES,
    objects::{Objects, ReadError},
    plan_error::PlanError,
    shown::shown,
    walk::Node,
};

/// A Git LFS pointer is a text of less than 1,024 bytes that begins so: <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/";
const LONGEST_POINTER: u64 = 1_024;

/// Walks what will be sent and counts it, so that what cannot be sent is known before the engine is asked for anything.
pub(crate) fn scan(objects: &Objects, context: &Context) -> Result<ContextStats, PlanError> {
    let mut stats = ContextStats::default();
    context.walk(objects, &mut |node: Node<'_>| {
        let unreadable = |source| PlanError::File { path: shown(node.path), source };
        match node.kind {
            EntryKind::Directory => stats.directories += 1,
            EntryKind::Link => {
                let target = objects.read(node.oid, LINK_BYTES).map_err(unreadable)?;
                if target.is_empty() || target.contains(&0) {
                    return Err(PlanError::Link { path: shown(node.path) });
                }
                stats.links += 1;
            }
            EntryKind::File { .. } | EntryKind::Submodule => {
                let size = objects.size(node.oid).map_err(unreadable)?;
                check_size(&node, size, context)?;
                if is_pointer(objects, &node, size).map_err(unreadable)? {
                    return Err(PlanError::LfsPointer { path: shown(node.path) });
                }
                stats.files += 1;
                stats.bytes += size;
            }
        }
        if stats.bytes > context.limits.total_bytes {
            return Err(PlanError::ContextSize { limit: context.limits.total_bytes });
        }
        Ok(())
    })?;
    if let Some((_, oid)) = &context.extra {
        stats.files += 1;
        stats.bytes += objects.size(*oid).map_err(PlanError::Read)?;
    }
    Ok(stats)
}

fn check_size(node: &Node<'_>, size: u64, context: &Context) -> Result<(), PlanError> {
    let limit = context.limits.file_bytes;
    if size > limit { Err(PlanError::FileSize { path: shown(node.path), size, limit }) } else { Ok(()) }
}

fn is_pointer(objects: &Objects, node: &Node<'_>, size: u64) -> Result<bool, ReadError> {
    let possible = (LFS.len() as u64..=LONGEST_POINTER).contains(&size);
    Ok(possible && objects.read(node.oid, LONGEST_POINTER)?.starts_with(LFS))
}
