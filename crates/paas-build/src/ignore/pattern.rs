//! One pattern of a `.dockerignore`: Go's `filepath.Match` plus `**`, see
//! <https://docs.docker.com/build/concepts/context/#dockerignore-files> and <https://pkg.go.dev/path/filepath#Match>.

/// A pattern as a small automaton: each step is tried on one character, so a match costs at most steps × characters, whatever a hostile file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Char(char),
    /// `?`
    One,
    /// `*`: any characters but a slash.
    Star,
    /// `[…]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `**` before something: nothing, or anything up to a slash. Always followed by [`Step::Directories`].
    MaybeDirectories,
    /// The inside of a taken [`Step::MaybeDirectories`].
    Directories,
    /// `**` at an end: anything.
    Anything,
}

impl Pattern {
    /// Reads a cleaned pattern. `None`: a bracket or backslash without its end, or a bad range.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut chars = text.chars().peekable();
        let mut bare_stars_first = false;
        while let Some(c) = chars.next() {
            match c {
                '*' if chars.next_if_eq(&'*').is_some() => {
                    let slash = chars.next_if_eq(&'/').is_some();
                    if chars.peek().is_none() {
                        steps.push(Step::Anything);
                    } else {
                        bare_stars_first |= steps.is_empty() && !slash;
                        steps.extend([Step::MaybeDirectories, Step::Directories]);
                    }
                }
                '*' => steps.push(Step::Star),
                '?' => steps.push(Step::One),
                '[' => steps.push(class(&mut chars)?),
                '\\' => steps.push(Step::Char(chars.next()?)),
                c => steps.push(Step::Char(c)),
            }
        }
        // `**.go` and `**foo` mean "ends in" as long as the rest is plain.
        let plain = |steps: &[Step]| steps.iter().all(|step| matches!(step, Step::Char(_)));
        if bare_stars_first && plain(&steps[2..]) && !text.contains('\\') {
            steps.splice(..2, [Step::Anything]);
        }
        Some(Self { steps })
    }

    /// Whether it matches the whole path.
    pub(super) fn matches(&self, path: &[char]) -> bool {
        let mut now = vec![false; self.steps.len() + 1];
        let mut next = now.clone();
        self.enter(&mut now, 0);
        for c in path {
            let mut alive = false;
            for (at, step) in self.steps.iter().enumerate().filter(|(at, _)| now[*at]) {
                let (stay, go) = step.eat(*c);
                if stay {
                    self.enter(&mut next, at);
                }
                if go {
                    self.enter(&mut next, at + 1);
                }
                alive |= stay | go;
            }
            if !alive {
                return false;
            }
            std::mem::swap(&mut now, &mut next);
            next.fill(false);
        }
        now[self.steps.len()]
    }

    /// Marks a step, and those behind it that need no character to be reached.
    fn enter(&self, marks: &mut [bool], mut at: usize) {
        while !marks[at] {
            marks[at] = true;
            match self.steps.get(at) {
                Some(Step::Star | Step::Anything) => at += 1,
                Some(Step::MaybeDirectories) => {
                    marks[at + 1] = true;
                    at += 2;
                }
                _ => return,
            }
        }
    }
}

impl Step {
    /// Whether, on that character, the step stays where it is, and whether the next one is reached.
    fn eat(&self, c: char) -> (bool, bool) {
        match self {
            Self::Char(own) => (false, *own == c),
            Self::One => (false, c != '/'),
            Self::Star => (c != '/', false),
            Self::Class { negated, ranges } => {
                (false, ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated)
            }
            Self::MaybeDirectories => (false, false),
            Self::Directories => (true, c == '/'),
            Self::Anything => (true, false),
        }
    }
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<Step> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Some(Step::Class { negated, ranges });
        }
        let low = class_char(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { class_char(chars)? } else { low };
        ranges.push((low, high));
    }
}

fn class_char(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '\\' => chars.next(),
        '-' | ']' => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(&path.chars().collect::<Vec<_>>())
    }

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, yes, no) in [
            ("a", &["a"][..], &["b", "a/b", "b/a", "aa"][..]),
            ("*", &["a", ".a", ""], &["a/b"]),
            ("*.md", &["a.md", ".md"], &["d/a.md", "a.mdx"]),
            ("a?c", &["abc", "aüc"], &["ac", "a/c"]),
            ("a/*/c", &["a/b/c"], &["a/c", "a/b/b/c"]),
            ("**/c", &["c", "a/c", "a/b/c"], &["ac", "c/d"]),
            ("**c", &["c", "ac", "a/bc"], &["cd"]),
            ("**.go", &["a.go", "d/a.go", ".go"], &["a.gox"]),
            ("**a*", &["a", "ab", "x/ab"], &["xab"]),
            ("a/**", &["a/b", "a/b/c"], &["a", "ab"]),
            ("a/**/c", &["a/c", "a/b/c", "a/b/b/c"], &["ac", "a/b"]),
            ("**", &["a", "a/b"], &[]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[^a]x", &["bx"], &["ax"]),
            ("[!a]x", &["!x", "ax"], &["bx"]),
            (r"[\]]x", &["]x"], &["x"]),
            (r"\*", &["*"], &["a"]),
            ("a.b", &["a.b"], &["axb"]),
            ("a{b,c}", &["a{b,c}"], &["ab"]),
            ("(a|b)+$", &["(a|b)+$"], &["a"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "{pattern} must match {path}");
            }
            for path in no {
                assert!(!matches(pattern, path), "{pattern} must not match {path}");
            }
        }
    }

    #[test]
    fn broken_patterns_are_found() {
        for bad in ["[", "[a", "[]", "[]a]", "[^]", "[-]", "[a-]", r"[a\", r"a\"] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_size() {
        let pattern = "*a".repeat(200) + "b";
        let start = std::time::Instant::now();
        assert!(!matches(&pattern, &"a".repeat(2_000)));
        assert!(start.elapsed() < std::time::Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn a_plain_pattern_is_equality(a in "[a-b/]{0,5}", b in "[a-b/]{0,5}") {
            prop_assert_eq!(matches(&a, &b), a == b);
        }
    }
}
