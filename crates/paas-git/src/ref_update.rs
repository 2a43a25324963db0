use std::io::{self, BufRead, Read};

use paas_domain::{CommitId, NameError};
use thiserror::Error;

use paas_program::Escaped;

/// The most references one push may change.
const MOST_UPDATES: usize = 1000;

/// The longest line read, in bytes: two SHA-256 ids and the longest path Linux knows.
const LONGEST_LINE: u64 = 2 * 65 + 4096;

/// One reference a push wants to change, as git tells its hooks.
///
/// The ids are those of whatever object the reference names; for a branch that is a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// What it points to now; `None` creates the reference.
    pub old: Option<CommitId>,
    /// What it shall point to; `None` deletes the reference.
    pub new: Option<CommitId>,
    /// The full name, `refs/…`, without white space and control characters.
    pub reference: String,
}

/// Why a line is not a reference update. git writes these lines, so this is a sign of something else talking to the hook.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RefUpdateError {
    /// Not `old new name`.
    #[error("\"{shown}\" is not `old-id new-id reference`")]
    Shape {
        /// The line, escaped and cut short.
        shown: String,
    },
    /// An id is not an object id.
    #[error("an object id is wrong")]
    Id(#[source] NameError),
    /// The name is not one git would keep.
    #[error("\"{shown}\" is not a reference name")]
    Name {
        /// The name, escaped and cut short.
        shown: String,
    },
}

/// Why the hook's standard input could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadUpdatesError {
    /// More references than one push may change.
    #[error(
        "the push changes more than {MOST_UPDATES} references; push only the branch to deploy: git push deploy main"
    )]
    TooMany,
    /// A line is wrong.
    #[error("git sent a line the hook does not understand")]
    Line(#[from] RefUpdateError),
    /// Reading failed.
    #[error("cannot read what git wants to change")]
    Read(#[from] io::Error),
}

impl RefUpdate {
    /// Checks the three words git gives its `update` hook as arguments (`name old new`) and other hooks as a line.
    pub fn new(reference: &str, old: &str, new: &str) -> Result<Self, RefUpdateError> {
        let well_named = reference.starts_with("refs/")
            && !reference.contains(|c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c))
            && reference.split('/').all(|part| !part.is_empty() && !part.starts_with('.'))
            && !reference.contains("..");
        if !well_named {
            return Err(RefUpdateError::Name { shown: Escaped::of(reference).to_string() });
        }
        Ok(Self { old: object_id(old)?, new: object_id(new)?, reference: reference.to_owned() })
    }

    /// Reads one `old new name` line of `pre-receive` or `post-receive`.
    pub fn parse(line: &str) -> Result<Self, RefUpdateError> {
        let mut words = line.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some(old), Some(new), Some(reference)) => Self::new(reference, old, new),
            _ => Err(RefUpdateError::Shape { shown: Escaped::of(line).to_string() }),
        }
    }

    /// Reads all of a hook's standard input, within bounds.
    pub fn read(mut input: impl BufRead) -> Result<Vec<Self>, ReadUpdatesError> {
        let mut updates = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(updates);
            }
            if updates.len() == MOST_UPDATES {
                return Err(ReadUpdatesError::TooMany);
            }
            updates.push(Self::parse_bytes(&line)?);
        }
    }

    fn parse_bytes(line: &[u8]) -> Result<Self, RefUpdateError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| RefUpdateError::Name {
            shown: Escaped::of(&String::from_utf8_lossy(line)).to_string(),
        })?;
        Self::parse(text)
    }
}

/// An object id; all zeros is git's way to write "none".
fn object_id(hex: &str) -> Result<Option<CommitId>, RefUpdateError> {
    let id = CommitId::new(hex).map_err(RefUpdateError::Id)?;
    Ok(Some(id).filter(|id| id.as_str().bytes().any(|digit| digit != b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "0000000000000000000000000000000000000000";
    const ONE: &str = "1111111111111111111111111111111111111111";

    #[test]
    fn lines_of_both_hashes_are_read() {
        let long = "a".repeat(64);
        let input = format!("{ZERO} {ONE} refs/heads/main\n{long} {} refs/tags/v1", "0".repeat(64));
        let updates = RefUpdate::read(input.as_bytes()).unwrap();
        assert_eq!(updates[0], RefUpdate::new("refs/heads/main", ZERO, ONE).unwrap());
        assert_eq!(updates[0].old, None);
        assert_eq!(updates[1].old.as_ref().unwrap().as_str(), long);
        assert_eq!(updates[1].new, None);
    }

    #[test]
    fn lines_git_would_not_write_are_refused() {
        for line in [
            "",
            "x",
            "a b c",
            &format!("{ZERO} {ONE}"),
            &format!("{ZERO} {ONE} HEAD"),
            &format!("{ZERO} {ONE} refs/heads/a b"),
            &format!("{ZERO} {ONE} refs/heads/../x"),
            &format!("{ZERO} {ONE} refs/heads/\x1b"),
            &format!("{ZERO} {} refs/heads/x", &ONE[1..]),
            &format!("{ZERO} {} refs/heads/x", "A".repeat(40)),
        ] {
            assert!(RefUpdate::parse(line).is_err(), "{line}");
        }
        assert!(
            RefUpdate::read(
                format!("{ZERO} {ONE} refs/heads/")
                    .into_bytes()
                    .iter()
                    .copied()
                    .chain([0xff])
                    .collect::<Vec<u8>>()
                    .as_slice()
            )
            .is_err()
        );
    }

    #[test]
    fn the_number_and_the_length_of_lines_are_bounded() {
        let line = format!("{ZERO} {ONE} refs/heads/x\n");
        assert_eq!(RefUpdate::read(line.repeat(MOST_UPDATES).as_bytes()).unwrap().len(), MOST_UPDATES);
        assert!(matches!(
            RefUpdate::read(line.repeat(MOST_UPDATES + 1).as_bytes()),
            Err(ReadUpdatesError::TooMany)
        ));
        // An endless line ends in an error, not in memory.
        assert!(matches!(
            RefUpdate::read(io::BufReader::new(io::repeat(b'x'))),
            Err(ReadUpdatesError::Line(_))
        ));
    }
}
