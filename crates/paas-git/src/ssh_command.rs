use std::ffi::OsStr;

use paas_domain::AppName;
use thiserror::Error;

use crate::repository_path::{RepositoryPathError, app_of};
use paas_program::Escaped;

/// The longest command line read, in bytes. The kernel gives one environment string 128 KiB (execve(2)), and the line comes in one.
const LONGEST: usize = 120 * 1024;

/// What an ssh client asked for: `SSH_ORIGINAL_COMMAND`, split into words as a shell would but never seen by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshCommand {
    /// No command: a person who typed `ssh paas@host`.
    Empty,
    /// `git push`.
    ReceivePack {
        /// The app pushed to.
        app: AppName,
    },
    /// `git fetch`, `git clone`, `git ls-remote`.
    UploadPack {
        /// The app read from.
        app: AppName,
    },
    /// A command line of ours, at least one word.
    CommandLine(Vec<String>),
}

/// Why a command was refused. `Display` is one line and never holds a raw control character.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SshCommandError {
    /// Longer than we read.
    #[error(
        "the command is {bytes} bytes long; at most {LONGEST} are read here, give long values on standard input"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not text.
    #[error("the command is not valid UTF-8")]
    NotText,
    /// A line break, a NUL, an escape sequence.
    #[error(
        "the command holds the control character {shown}; give values with line breaks on standard input"
    )]
    ControlCharacter {
        /// The character, escaped.
        shown: String,
    },
    /// A quote is not closed.
    #[error("the command has a quote that is not closed")]
    OpenQuote,
    /// A git command other than the two that are served.
    #[error("{shown} is not served here; git push, fetch and clone are")]
    UnknownGitCommand {
        /// What was asked for, escaped and cut short.
        shown: String,
    },
    /// git's command has something else than exactly one repository.
    #[error("{verb} takes exactly one app and no options, for example: {verb} 'blog'")]
    GitArguments {
        /// The verb.
        verb: &'static str,
    },
    /// The repository is not an app's name.
    #[error("{0}")]
    App(RepositoryPathError),
}

#[derive(Clone, Copy)]
enum Verb {
    ReceivePack,
    UploadPack,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::ReceivePack => "git-receive-pack",
            Self::UploadPack => "git-upload-pack",
        }
    }
}

impl SshCommand {
    /// Reads the variable sshd sets; absent means that no command was given.
    pub fn from_environment(original_command: Option<&OsStr>) -> Result<Self, SshCommandError> {
        match original_command.map(OsStr::to_str) {
            None => Ok(Self::Empty),
            Some(Some(line)) => Self::parse(line),
            Some(None) => Err(SshCommandError::NotText),
        }
    }

    /// Reads a command line.
    pub fn parse(line: &str) -> Result<Self, SshCommandError> {
        if line.len() > LONGEST {
            return Err(SshCommandError::TooLong { bytes: line.len() });
        }
        let words = shell_words::split(line).map_err(|_| SshCommandError::OpenQuote)?;
        let control = words.iter().find_map(|word| control_character(word));
        // What no word took up (a line break at the end, say) is as unwelcome.
        let outside = || line.chars().find(|c| c.is_control() && !is_value_character(*c));
        if let Some(control) = control.or_else(outside) {
            return Err(SshCommandError::ControlCharacter { shown: control.escape_default().to_string() });
        }
        let Some(first) = words.first() else { return Ok(Self::Empty) };
        if first == "git" {
            // `git receive-pack 'app'` is the same command as `git-receive-pack 'app'`.
            let verb = words.get(1).map_or("", String::as_str);
            return Self::git(&format!("git-{verb}"), words.get(2..).unwrap_or_default());
        }
        if first.starts_with("git-") {
            return Self::git(first, &words[1..]);
        }
        Ok(Self::CommandLine(words))
    }

    fn git(command: &str, arguments: &[String]) -> Result<Self, SshCommandError> {
        let verb = match command {
            "git-receive-pack" => Verb::ReceivePack,
            "git-upload-pack" => Verb::UploadPack,
            other => {
                let shown = Escaped::of(other.trim_end_matches('-')).to_string();
                return Err(SshCommandError::UnknownGitCommand { shown });
            }
        };
        let [path] = arguments else { return Err(SshCommandError::GitArguments { verb: verb.name() }) };
        if path.starts_with('-') {
            return Err(SshCommandError::GitArguments { verb: verb.name() });
        }
        let app = app_of(path).map_err(SshCommandError::App)?;
        Ok(match verb {
            Verb::ReceivePack => Self::ReceivePack { app },
            Verb::UploadPack => Self::UploadPack { app },
        })
    }
}

/// The control character that makes a word unwelcome. The value of a `KEY=value` may have line breaks and tabs; nothing else may.
fn control_character(word: &str) -> Option<char> {
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    let in_value = value.chars().find(|c| c.is_control() && !is_value_character(*c));
    key.chars().find(|c| c.is_control()).or(in_value)
}

fn is_value_character(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn push(app: &str) -> SshCommand {
        SshCommand::ReceivePack { app: AppName::new(app).unwrap() }
    }

    #[test]
    fn what_git_sends_for_a_push_means_the_app() {
        for line in [
            "git-receive-pack 'blog'",
            "git-receive-pack '/blog'",
            "git-receive-pack '~/blog'",
            "git-receive-pack 'blog.git'",
            "git-receive-pack blog",
            "git receive-pack '/blog.git'",
        ] {
            assert_eq!(SshCommand::parse(line).unwrap(), push("blog"), "{line}");
        }
        let fetch = SshCommand::UploadPack { app: AppName::new("blog").unwrap() };
        assert_eq!(SshCommand::parse("git-upload-pack '/blog'").unwrap(), fetch);
    }

    #[test]
    fn our_own_commands_are_split_into_words() {
        let line = r#"config:set -a blog 'GREETING=hello world' QUOTED=it\'s "DOLLAR=\$(id)""#;
        let words = ["config:set", "-a", "blog", "GREETING=hello world", "QUOTED=it's", "DOLLAR=$(id)"];
        assert_eq!(
            SshCommand::parse(line).unwrap(),
            SshCommand::CommandLine(words.map(str::to_owned).to_vec())
        );
        for nothing in ["", "   ", "# a remark"] {
            assert_eq!(SshCommand::parse(nothing).unwrap(), SshCommand::Empty);
        }
    }

    #[test]
    fn everything_else_of_git_is_one_error_line() {
        for line in [
            "git",
            "git status",
            "git-shell",
            "git-upload-archive 'blog'",
            "git-receive-pack",
            "git-receive-pack 'blog' 'shop'",
            "git-receive-pack --upload-pack=x 'blog'",
            "git-receive-pack '--help'",
            "git-receive-pack '../blog'",
            "git-receive-pack 'a/b'",
            "git-receive-pack 'blog';reboot",
            "git-receive-pack \"$(reboot)\"",
            "git-receive-pack 'blog",
            "git-receive-pack ''",
        ] {
            let error = SshCommand::parse(line).unwrap_err().to_string();
            assert!(!error.contains(char::is_control), "{line}: {error}");
        }
    }

    #[test]
    fn control_characters_are_refused_and_not_echoed() {
        for line in [
            "'apps:list\n'",
            "git-receive-pack 'bl\x1b[2Jog'",
            "git-receive-pack 'bl\nog'",
            "a\0b",
            "apps:list\u{9b}2J",
            "config:set a 'K=\x1b'",
            "config:set a 'K\n=x'",
        ] {
            let error = SshCommand::parse(line).unwrap_err();
            assert!(matches!(error, SshCommandError::ControlCharacter { .. }));
            assert!(!error.to_string().contains(char::is_control));
        }
    }

    #[test]
    fn a_value_may_have_line_breaks() {
        let words = ["config:set", "blog", "KEY=one\ntwo\tx\r\n"].map(str::to_owned).to_vec();
        assert_eq!(SshCommand::parse(&shell_words::join(&words)).unwrap(), SshCommand::CommandLine(words));
    }

    #[test]
    fn too_much_and_not_text() {
        let error = SshCommand::parse(&"x".repeat(1 << 20)).unwrap_err();
        assert_eq!(error, SshCommandError::TooLong { bytes: 1 << 20 });
        let bytes = OsStr::from_bytes(b"git-receive-pack '\xff'");
        assert_eq!(SshCommand::from_environment(Some(bytes)), Err(SshCommandError::NotText));
        assert_eq!(SshCommand::from_environment(None), Ok(SshCommand::Empty));
    }
}
