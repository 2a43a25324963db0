use git2::Oid;

use crate::{
    entry::EntryKind,
    limits::TEXT_BYTES,
    lookup::{Found, lookup},
    objects::Objects,
    plan_error::PlanError,
    shown::shown,
    tree_path::TreePath,
};

/// The names tried when none is given, as `docker build` does.
const USUAL: [&str; 2] = ["Dockerfile", "dockerfile"];
/// How many names of a directory an error lists.
const LISTED: usize = 20;

/// The Dockerfile of a commit.
pub(crate) struct Dockerfile {
    /// As it was named; the ignore file beside it goes by that name.
    pub(crate) named: TreePath,
    /// Where links lead from there.
    pub(crate) path: Vec<u8>,
    pub(crate) oid: Oid,
    /// The frontend a `# syntax=` line asks for.
    pub(crate) syntax: Option<String>,
}

/// Finds the Dockerfile: the named one, or `Dockerfile` in the context.
pub(crate) fn find(
    objects: &Objects,
    root: Oid,
    context: &TreePath,
    named: Option<TreePath>,
) -> Result<Dockerfile, PlanError> {
    if let Some(named) = named {
        return match file(objects, root, &named)? {
            Some(found) => open(objects, named, found),
            None => Err(PlanError::DockerfileMissing(named.to_string())),
        };
    }
    for name in USUAL {
        let path = context.join(name);
        if let Some(found) = file(objects, root, &path)? {
            return open(objects, path, found);
        }
    }
    Err(PlanError::NoDockerfile { place: place(context), listing: listing(objects, root, context)? })
}

/// Follows a path to whatever is there.
pub(crate) fn file(objects: &Objects, root: Oid, path: &TreePath) -> Result<Option<Found>, PlanError> {
    lookup(objects, root, path.as_bytes())
        .map_err(|source| PlanError::Lookup { path: path.to_string(), source })
}

fn open(objects: &Objects, named: TreePath, found: Found) -> Result<Dockerfile, PlanError> {
    if !matches!(found.kind, EntryKind::File { .. }) {
        return Err(PlanError::DockerfileNotFile(named.to_string()));
    }
    let text = objects.read(found.oid, TEXT_BYTES);
    let text = text.map_err(|source| PlanError::File { path: named.to_string(), source })?;
    let text = String::from_utf8_lossy(&text);
    if !has_instruction(&text) {
        return Err(PlanError::DockerfileEmpty(named.to_string()));
    }
    Ok(Dockerfile { syntax: syntax(&text), named, path: found.path, oid: found.oid })
}

fn has_instruction(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim)
        .any(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The value of a `# syntax=` directive: directives are the comments `# name=value` at the very top, see
/// <https://docs.docker.com/reference/dockerfile/#parser-directives>.
fn syntax(text: &str) -> Option<String> {
    for line in text.trim_start_matches('\u{feff}').lines() {
        let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("syntax") {
            return Some(shown(value.trim().as_bytes()));
        }
    }
    None
}

fn place(context: &TreePath) -> String {
    if context.is_root() { "the root of the repository".to_owned() } else { format!("{context}/") }
}

fn listing(objects: &Objects, root: Oid, context: &TreePath) -> Result<String, PlanError> {
    let Some(Found { kind: EntryKind::Directory, oid, .. }) = file(objects, root, context)? else {
        return Err(PlanError::ContextMissing(context.to_string()));
    };
    let entries = objects.entries(oid).map_err(PlanError::Read)?;
    let mut names: Vec<String> = entries
        .iter()
        .take(LISTED)
        .map(|entry| shown(&entry.name) + if entry.kind == EntryKind::Directory { "/" } else { "" })
        .collect();
    if entries.len() > LISTED {
        names.push(format!("and {} more", entries.len() - LISTED));
    }
    Ok(names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_no_instruction() {
        assert!(!has_instruction("") && !has_instruction("\u{feff}# a\n\n  # b\r\n"));
        assert!(has_instruction("# a\nFROM scratch"));
    }

    #[test]
    fn the_syntax_line_counts_only_at_the_top() {
        assert_eq!(syntax("# syntax=docker/dockerfile:1\nFROM x").as_deref(), Some("docker/dockerfile:1"));
        assert_eq!(syntax("#escape=`\n# Syntax = a:b \n").as_deref(), Some("a:b"));
        assert_eq!(syntax("# hello\n# syntax=a"), None);
        assert_eq!(syntax("FROM x\n# syntax=a"), None);
        assert_eq!(syntax("\n# syntax=a"), None);
    }
}
