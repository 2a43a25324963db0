//! External programs: started from an argv with a cleared environment, always with a deadline.

use std::ffi::OsStr;
use std::fmt;
use std::process::Command;
use std::time::Duration;

use crate::background::Background;

/// A program with nothing in its environment but `PATH` and a plain locale.
#[allow(
    clippy::disallowed_methods,
    reason = "the harness is the outside world: it starts what a user would start"
)]
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env_clear().env("LC_ALL", "C").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// A program that has ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The argv, for messages.
    pub line: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Ran {
    /// Panics unless the program succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.code == Some(0), "should have succeeded:\n{self}");
        self
    }

    /// Panics unless the program ended with this code.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> Self {
        assert!(self.code == Some(code), "should have ended with {code}:\n{self}");
        self
    }

    /// Panics unless the program ended with a code that is not 0.
    #[track_caller]
    pub fn fails(self) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "should have failed:\n{self}");
        self
    }

    /// Panics if the program succeeded; an end by a signal is no success.
    #[track_caller]
    pub fn fails_or_is_killed(self) -> Self {
        assert!(self.code != Some(0), "should not have succeeded:\n{self}");
        self
    }

    /// Panics unless the text is in what it printed.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.all().contains(text), "should say {text:?}:\n{self}");
        self
    }

    /// Panics unless one of the texts is in what it printed, without regard to case.
    #[track_caller]
    pub fn says_one_of(self, texts: &[&str]) -> Self {
        let all = self.all().to_lowercase();
        assert!(
            texts.iter().any(|text| all.contains(&text.to_lowercase())),
            "should say one of {texts:?}:\n{self}"
        );
        self
    }

    /// Panics if the text is in what it printed.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        assert!(!self.all().contains(text), "should not say {text:?}:\n{self}");
        self
    }

    /// Both streams.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// The lines that the server sent during a push, without `remote: ` and the blanks that git adds.
    pub fn remote_lines(&self) -> Vec<String> {
        let lines = self.stderr.split(['\n', '\r']).filter_map(|line| line.strip_prefix("remote: "));
        lines.map(|line| line.trim_end().to_owned()).collect()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not JSON ({error}):\n{self}"))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ {}\nended with {:?} after {:?}", self.line, self.code, self.took)?;
        writeln!(f, "--- stdout\n{}--- stderr\n{}---", self.stdout, self.stderr)
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(command: Command, input: &[u8]) -> Ran {
    Background::spawn(command, input).wait()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_code_and_streams() {
        let mut command = program("sh");
        command.args(["-c", "cat; echo remote: hello >&2; exit 3"]);
        let ran = run(command, b"input").fails_with(3);
        assert_eq!(ran.stdout, "input");
        assert_eq!(ran.remote_lines(), ["hello"]);
    }

    #[test]
    fn the_environment_is_cleared() {
        let ran = run(program("env"), b"").ok();
        assert!(
            ran.stdout.lines().all(|line| line.starts_with("PATH=") || line.starts_with("LC_ALL=")),
            "{ran}"
        );
    }
}
