use std::io;
use std::os::unix::process::CommandExt;
use std::pin::pin;
use std::process::{Command, ExitStatus, Output};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    error::ProgramError,
    lookup,
    program::{Place, Program, Variable},
    stream::Stream,
};

/// How much of a failed program's standard error an error keeps, in characters from its end.
const KEPT_STDERR: usize = 600;

impl Program {
    /// Runs it to its end and collects what it writes. The child is killed if the future is dropped, and so is its process group if it has one of
    /// its own.
    pub async fn output(&self) -> Result<Output, ProgramError> {
        let mut command = tokio::process::Command::from(self.command(&Stream::Piped)?);
        command.kill_on_drop(true);
        let child = command.spawn().map_err(|source| self.start_error(source))?;
        let group = self.own_group.then(|| child.id()).flatten();
        let mut end = pin!(child.wait_with_output());
        // Dropped before the child is, hence while nobody else can have its number.
        let mut group = KilledGroup(group.and_then(|id| Pid::from_raw(id.try_into().ok()?)));
        let output = end.as_mut().await;
        group.0 = None;
        output.map_err(|source| self.lost_error(source))
    }

    /// As [`Program::output`], and an unsuccessful end is an error that holds the end of its standard error.
    pub async fn run(&self) -> Result<Vec<u8>, ProgramError> {
        self.successful(self.output().await?)
    }

    /// Starts it. Streams that were not set are ours.
    pub fn spawn(&self) -> Result<tokio::process::Child, ProgramError> {
        let mut command = tokio::process::Command::from(self.command(&Stream::Inherit)?);
        command.spawn().map_err(|source| self.start_error(source))
    }

    /// [`Program::output`] for code that is not asynchronous.
    pub fn blocking_output(&self) -> Result<Output, ProgramError> {
        let child = self.command(&Stream::Piped)?.spawn().map_err(|source| self.start_error(source))?;
        child.wait_with_output().map_err(|source| self.lost_error(source))
    }

    /// [`Program::run`] for code that is not asynchronous.
    pub fn blocking_run(&self) -> Result<Vec<u8>, ProgramError> {
        self.successful(self.blocking_output()?)
    }

    /// [`Program::spawn`] for code that is not asynchronous.
    pub fn blocking_spawn(&self) -> Result<std::process::Child, ProgramError> {
        self.command(&Stream::Inherit)?.spawn().map_err(|source| self.start_error(source))
    }

    /// Runs it to its end with the streams that were set, ours otherwise.
    pub fn blocking_status(&self) -> Result<ExitStatus, ProgramError> {
        self.blocking_spawn()?.wait().map_err(|source| self.lost_error(source))
    }

    /// Becomes the program: this process is replaced, so it returns only when that failed.
    pub fn exec(&self) -> ProgramError {
        match self.command(&Stream::Inherit) {
            Ok(mut command) => self.start_error(command.exec()),
            Err(error) => error,
        }
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place where an argv becomes a process")]
    fn command(&self, outputs: &Stream) -> Result<Command, ProgramError> {
        self.check()?;
        let file = match &self.place {
            Place::Named(name) => lookup::find(name, &self.search_path())?,
            Place::File(file) => lookup::check(file)?,
        };
        let mut command = Command::new(file);
        command.arg0(self.name()).args(&self.arguments).env_clear().env("PATH", lookup::SEARCH_PATH);
        for (name, variable) in &self.environment {
            match variable {
                Variable::Set(value) => {
                    command.env(name, value);
                }
                Variable::Inherited => {
                    command.envs(std::env::var_os(name).map(|value| (*name, value)));
                }
            }
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if self.own_group {
            command.process_group(0);
        }
        let start = |source| self.start_error(source);
        command.stdin(self.stdin.to_stdio().map_err(start)?);
        command.stdout(self.stdout.as_ref().unwrap_or(outputs).to_stdio().map_err(start)?);
        command.stderr(self.stderr.as_ref().unwrap_or(outputs).to_stdio().map_err(start)?);
        Ok(command)
    }

    fn successful(&self, output: Output) -> Result<Vec<u8>, ProgramError> {
        if output.status.success() {
            return Ok(output.stdout);
        }
        let stderr = one_line(&output.stderr);
        Err(ProgramError::Failed { program: self.name(), status: output.status, stderr })
    }

    fn start_error(&self, source: io::Error) -> ProgramError {
        ProgramError::Start { program: self.name(), source }
    }

    fn lost_error(&self, source: io::Error) -> ProgramError {
        ProgramError::Lost { program: self.name(), source }
    }
}

/// A process group that is killed when this is dropped.
struct KilledGroup(Option<Pid>);

impl Drop for KilledGroup {
    fn drop(&mut self) {
        // What has ended by itself is not there to be killed.
        let _ = self.0.map(|group| kill_process_group(group, Signal::KILL));
    }
}

/// The end of a text as one line without control characters.
fn one_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    let skipped = line.chars().count().saturating_sub(KEPT_STDERR);
    line.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_exactly_what_was_allowed() {
        let program = Program::new("env").env("LC_ALL", "C.UTF-8").inherit("NO_SUCH_VARIABLE_HERE");
        let output = String::from_utf8(program.blocking_run().unwrap()).unwrap();
        let mut lines: Vec<&str> = output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["LC_ALL=C.UTF-8", &format!("PATH={}", lookup::SEARCH_PATH)]);
    }

    #[test]
    fn words_arrive_as_they_are() {
        let words = ["$(id)", "a b", "", "'", "*", "\n", ";"];
        let program = words.iter().fold(Program::new("printf").arg("%s|"), |p, word| p.value(*word));
        assert_eq!(program.blocking_run().unwrap(), format!("{}|", words.join("|")).into_bytes());
    }

    #[tokio::test]
    async fn a_failure_keeps_what_the_program_said() {
        let error = Program::new("git").arg("no-such-verb").run().await.unwrap_err();
        let ProgramError::Failed { stderr, .. } = &error else { panic!("{error}") };
        assert!(stderr.contains("no-such-verb"), "{stderr}");
        assert!(!error.to_string().contains('\n'));
    }

    #[tokio::test]
    async fn the_working_directory_is_set() {
        let directory = tempfile::tempdir().unwrap();
        let expected = directory.path().canonicalize().unwrap();
        let output = Program::new("pwd").directory(&expected).run().await.unwrap();
        assert_eq!(String::from_utf8(output).unwrap().trim_end(), expected.to_str().unwrap());
    }

    #[test]
    fn a_refused_word_starts_nothing() {
        let mark = tempfile::tempdir().unwrap().path().join("mark");
        let program = Program::new("touch").value(&mark).value("-x");
        assert!(matches!(program.blocking_output(), Err(ProgramError::Argument { .. })));
        assert!(matches!(program.exec(), ProgramError::Argument { .. }));
        assert!(!mark.exists());
    }

    #[test]
    fn standard_error_is_kept_as_the_end_of_one_line() {
        assert_eq!(one_line(b"fatal:\n  no\x1b[31m\tway\n"), "fatal: no [31m way");
        assert_eq!(one_line("ü".repeat(2000).as_bytes()).chars().count(), KEPT_STDERR);
    }
}
