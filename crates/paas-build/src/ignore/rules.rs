use thiserror::Error;

use super::pattern::Pattern;

/// Why an ignore file cannot be used. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IgnoreError {
    /// A pattern with a bracket or backslash that has no end.
    #[error(
        "line {line}: \"{pattern}\" is not a pattern; close the bracket, or put a backslash before a character meant as itself"
    )]
    Pattern {
        /// Where.
        line: usize,
        /// What.
        pattern: String,
    },
    /// A `!` alone.
    #[error("line {line}: `!` needs a pattern behind it")]
    LoneException {
        /// Where.
        line: usize,
    },
}

/// Which paths of a context are not sent, as BuildKit decides it: the last pattern that matches a path or one of its parents wins.
///
/// Where the engine's own translation of patterns into regular expressions misreads its documentation (`[*]`, `\d`), the documentation is
/// followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    text: String,
    exception: bool,
}

/// Which rules matched a directory: its children inherit that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Matches(Vec<bool>);

impl IgnoreRules {
    /// Reads the text of a `.dockerignore`.
    pub fn parse(text: &[u8]) -> Result<Self, IgnoreError> {
        let text = String::from_utf8_lossy(text);
        let mut rules = Vec::new();
        for (index, raw) in text.trim_start_matches('\u{feff}').split('\n').enumerate() {
            // A comment has its # in the first column; anywhere else it is part of a name.
            let trimmed = raw.trim();
            if raw.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            let line = index + 1;
            let (exception, body) = match trimmed.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, trimmed),
            };
            if body.is_empty() {
                return Err(IgnoreError::LoneException { line });
            }
            let text = clean(body);
            let pattern = Pattern::parse(&text).ok_or_else(|| IgnoreError::Pattern {
                line,
                pattern: body.chars().take(80).flat_map(char::escape_debug).collect(),
            })?;
            rules.push(Rule { pattern, text, exception });
        }
        Ok(Self { rules })
    }

    /// Whether a path of the context is not sent. For many paths a walk that hands the parents' results down is quicker.
    pub fn excludes(&self, path: &[u8]) -> bool {
        let mut parent = Matches::default();
        let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at);
        for end in ends {
            (_, parent) = self.check(&path[..end], &parent);
        }
        self.check(path, &parent).0
    }

    /// Whether a path is excluded, and what its children inherit.
    pub(crate) fn check(&self, path: &[u8], parent: &Matches) -> (bool, Matches) {
        if self.rules.is_empty() {
            return (false, Matches::default());
        }
        let path = decode(path);
        let mut own = vec![false; self.rules.len()];
        let mut excluded = false;
        for (at, rule) in self.rules.iter().enumerate() {
            let inherited = parent.0.get(at).copied().unwrap_or(false);
            // A rule that could not change the answer is not tried, and so not inherited either: BuildKit's order of things.
            if inherited || (rule.exception == excluded && rule.pattern.matches(&path)) {
                own[at] = true;
                excluded = !rule.exception;
            }
        }
        (excluded, Matches(own))
    }

    /// Whether something inside an excluded directory may still be sent. `true` may be wrong, `false` never is.
    pub(crate) fn may_send_below(&self, directory: &[u8]) -> bool {
        self.rules.iter().filter(|rule| rule.exception).any(|rule| {
            let stem =
                rule.text.strip_suffix("/**").or_else(|| rule.text.strip_suffix("/*")).unwrap_or(&rule.text);
            stem.contains(['*', '?', '[', '\\'])
                || stem
                    .as_bytes()
                    .strip_prefix(directory)
                    .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        })
    }
}

/// As Go's `filepath.Clean`, then without the leading slash: patterns are relative to the context.
fn clean(pattern: &str) -> String {
    let rooted = pattern.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    match (parts.is_empty(), rooted) {
        (true, true) => "/".to_owned(),
        (true, false) => ".".to_owned(),
        _ => parts.join("/"),
    }
}

/// Characters, with what is no UTF-8 replaced: a pattern can name such a byte only by `?` or `*`.
fn decode(path: &[u8]) -> Vec<char> {
    path.utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars().chain((!chunk.invalid().is_empty()).then_some('\u{fffd}')))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mistakes_are_named_with_their_line() {
        assert_eq!(IgnoreRules::parse(b"a\n!\n"), Err(IgnoreError::LoneException { line: 2 }));
        let error = IgnoreRules::parse(b"# x\n\n[a").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("[a"), "{error}");
    }

    #[test]
    fn patterns_are_cleaned_like_paths() {
        for (given, cleaned) in [
            ("/a/", "a"),
            ("./a", "a"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("/../a", "a"),
            ("//a//b", "a/b"),
            (".", "."),
            ("/", "/"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(given), cleaned, "{given}");
        }
    }

    #[test]
    fn a_directory_is_entered_only_if_an_exception_may_be_inside() {
        let rules = IgnoreRules::parse(b"*\n!src/app/**\n!doc").unwrap();
        assert!(
            rules.may_send_below(b"src") && rules.may_send_below(b"src/app") && rules.may_send_below(b"doc")
        );
        assert!(!rules.may_send_below(b"sr") && !rules.may_send_below(b"other"));
        assert!(IgnoreRules::parse(b"*\n!**/x").unwrap().may_send_below(b"other"));
        assert!(!IgnoreRules::parse(b"*").unwrap().may_send_below(b"other"));
    }

    proptest! {
        #[test]
        fn skipping_a_directory_never_changes_the_answer(
            lines in proptest::collection::vec(r"!?[ab*/?]{1,6}", 0..6),
            path in "[ab]{1,2}(/[ab]{1,2}){0,3}",
        ) {
            if let Ok(rules) = IgnoreRules::parse(lines.join("\n").as_bytes()) {
                let mut parent = Matches::default();
                let mut skipped = false;
                for (end, _) in path.match_indices('/') {
                    let (excluded, matches) = rules.check(&path.as_bytes()[..end], &parent);
                    skipped |= excluded && !rules.may_send_below(&path.as_bytes()[..end]);
                    parent = matches;
                }
                prop_assert!(!skipped || rules.excludes(path.as_bytes()), "{lines:?} {path}");
            }
        }
    }
}
