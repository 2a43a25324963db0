use std::collections::BTreeMap;

use thiserror::Error;

use crate::{CommandError, NameError, ProcessCommand, ProcessType};

const RELEASE: &str = "release";
/// More process types than any app has; what is longer is another kind of file.
const MOST: usize = 50;

/// Why a `Procfile` cannot be used. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProcfileError {
    /// No colon.
    #[error(
        "Procfile, line {line}: \"{text}\" has no colon; a line is `name: command`, for example `web: node server.js`"
    )]
    NoColon {
        /// Where.
        line: usize,
        /// The line's beginning.
        text: String,
    },
    /// The part before the colon is no process type.
    #[error("Procfile, line {line}: the name before the colon cannot be used")]
    Name {
        /// Where.
        line: usize,
        /// The rule.
        source: NameError,
    },
    /// The same name twice.
    #[error(
        "Procfile, line {line}: `{name}` stands in line {first} already; give every process type one line"
    )]
    Duplicate {
        /// Where.
        line: usize,
        /// Which.
        name: ProcessType,
        /// Where it stood first.
        first: usize,
    },
    /// The part after the colon is no command.
    #[error("Procfile, line {line}: the command of `{name}` cannot be used")]
    Command {
        /// Where.
        line: usize,
        /// Whose.
        name: ProcessType,
        /// Why.
        source: CommandError,
    },
    /// Too many lines.
    #[error("the Procfile has more than {MOST} process types")]
    TooMany,
}

/// The process types of an app and their commands: `name: command` lines, `#` comments, blank lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Procfile {
    commands: BTreeMap<ProcessType, ProcessCommand>,
}

impl Procfile {
    /// Reads the text of a `Procfile`. Windows line ends and a byte order mark are fine.
    pub fn parse(text: &str) -> Result<Self, ProcfileError> {
        let mut seen = BTreeMap::new();
        let mut commands = BTreeMap::new();
        for (index, raw) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let content = raw.trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let (name, command) = entry(line, content)?;
            if let Some(first) = seen.insert(name.clone(), line) {
                return Err(ProcfileError::Duplicate { line, name, first });
            }
            commands.insert(name, command);
        }
        if commands.len() > MOST { Err(ProcfileError::TooMany) } else { Ok(Self { commands }) }
    }

    /// The process types that run all the time, by name: all but `release`.
    pub fn processes(&self) -> impl Iterator<Item = (&ProcessType, &ProcessCommand)> {
        self.commands.iter().filter(|(name, _)| name.as_str() != RELEASE)
    }

    /// The command that runs once in a new release before it receives requests.
    pub fn release(&self) -> Option<&ProcessCommand> {
        self.commands.iter().find(|(name, _)| name.as_str() == RELEASE).map(|(_, command)| command)
    }

    /// The command of one process type.
    pub fn find(&self, name: &ProcessType) -> Option<&ProcessCommand> {
        self.commands.get(name)
    }
}

fn entry(line: usize, content: &str) -> Result<(ProcessType, ProcessCommand), ProcfileError> {
    let (name, command) = content.split_once(':').ok_or_else(|| ProcfileError::NoColon {
        line,
        text: content.chars().take(40).flat_map(char::escape_debug).collect(),
    })?;
    let name = ProcessType::new(name.trim_end()).map_err(|source| ProcfileError::Name { line, source })?;
    match ProcessCommand::parse(command) {
        Ok(command) => Ok((name, command)),
        Err(source) => Err(ProcfileError::Command { line, name, source }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_procfile_is_read() {
        let text = "\u{feff}# the app\r\nweb: node server.js --url http://x:1\r\n\r\nworker:./work  \nrelease: ./migrate up\n";
        let procfile = Procfile::parse(text).unwrap();
        let all: Vec<_> = procfile.processes().map(|(n, c)| (n.as_str(), c.as_str())).collect();
        assert_eq!(all, [("web", "node server.js --url http://x:1"), ("worker", "./work")]);
        assert_eq!(procfile.release().unwrap().argv(), ["./migrate", "up"]);
        assert!(procfile.find(&ProcessType::web()).is_some());
        assert_eq!(Procfile::parse(" \n# nothing\n").unwrap(), Procfile::default());
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, expected) in [
            ("web node", "line 1: \"web node\" has no colon"),
            ("\nWeb: x", "line 2: the name before the colon"),
            (": x", "line 1: the name before the colon"),
            ("web: a\nworker: b\nweb: c", "line 3: `web` stands in line 1"),
            ("web:", "line 1: the command of `web`"),
            ("web: echo 'a", "line 1: the command of `web`"),
        ] {
            let error = Procfile::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?} gave {error}");
        }
        let many = (0..=MOST).map(|n| format!("p{n}: x")).collect::<Vec<_>>().join("\n");
        assert_eq!(Procfile::parse(&many), Err(ProcfileError::TooMany));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,80}") {
            let _ = Procfile::parse(&text);
        }
    }
}
