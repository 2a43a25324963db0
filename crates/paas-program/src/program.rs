use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::{
    argument::{self, ArgumentError},
    error::ProgramError,
    lookup,
    stream::Stream,
};

/// An external program as a value: its name, an argv, an environment that begins empty, a working directory and streams.
///
/// No shell is ever involved. Words of our own are `&'static str` ([`Program::arg`]); words from outside go through [`Program::value`] and can
/// never become an option. A refused word is remembered, and every way of running the program then fails with it before
/// anything is started.
///
/// The program is looked up in a fixed `PATH`, which is also all the child's environment holds until [`Program::env`] or
/// [`Program::inherit`] adds to it; one that inherits `PATH` is looked up there. `Display` and `Debug` never show the environment's values.
#[must_use = "a program does nothing until it is run"]
pub struct Program {
    pub(crate) place: Place,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: BTreeMap<&'static str, Variable>,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) stdin: Stream,
    pub(crate) stdout: Option<Stream>,
    pub(crate) stderr: Option<Stream>,
    pub(crate) own_group: bool,
    options_ended: bool,
    refused: Option<ArgumentError>,
}

/// Where a program's file is.
pub(crate) enum Place {
    /// Looked up by name in the search path.
    Named(&'static str),
    /// The file itself, which the server's administrator named.
    File(PathBuf),
}

/// Where the value of an environment variable comes from.
pub(crate) enum Variable {
    Set(OsString),
    Inherited,
}

impl Program {
    /// A program by its name, for example `git`.
    pub fn new(name: &'static str) -> Self {
        Self::of(Place::Named(name))
    }

    /// A program by its file, which the server's administrator named: nothing is looked up. A relative path is never run.
    pub fn at(file: impl Into<PathBuf>) -> Self {
        Self::of(Place::File(file.into()))
    }

    fn of(place: Place) -> Self {
        Self {
            place,
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: None,
            stdin: Stream::Null,
            stdout: None,
            stderr: None,
            own_group: false,
            options_ended: false,
            refused: None,
        }
    }

    /// The fixed path, or the person's own when the program is run on their behalf with it.
    pub(crate) fn search_path(&self) -> OsString {
        let inherits = matches!(self.environment.get("PATH"), Some(Variable::Inherited));
        let own = inherits.then(|| std::env::var_os("PATH")).flatten();
        own.unwrap_or_else(|| lookup::SEARCH_PATH.into())
    }

    /// Adds a word that is written in our source.
    pub fn arg(mut self, word: &'static str) -> Self {
        self.arguments.push(word.into());
        self
    }

    /// Adds a word from outside. Refused when it holds a NUL, or begins with `-` before [`Program::end_of_options`].
    pub fn value(mut self, word: impl Into<OsString>) -> Self {
        let word = word.into();
        match argument::check(&word, self.options_ended) {
            Ok(()) => self.arguments.push(word),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Adds a word from outside that may begin with `-`. Only for a program that reads its words by their place and knows no options, such as
    /// a hook of the administrator's own. Refused when it holds a NUL.
    pub fn positional(mut self, word: impl Into<OsString>) -> Self {
        let word = word.into();
        match argument::check(&word, true) {
            Ok(()) => self.arguments.push(word),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Adds `prefix` and outside text as one word, for example `--max-count=` and a number. The prefix must end with `=`.
    pub fn option(mut self, prefix: &'static str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        match argument::check_option(prefix, &value) {
            Ok(()) => {
                let mut word = OsString::from(prefix);
                word.push(value);
                self.arguments.push(word);
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Adds `--`: from here on no word is an option to the program.
    pub fn end_of_options(mut self) -> Self {
        self.options_ended = true;
        self.arg("--")
    }

    /// Sets an environment variable of the child.
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        match argument::check_variable(&value) {
            Ok(()) => {
                self.environment.insert(name, Variable::Set(value));
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Lets the child have our own value of an environment variable, if we have one.
    pub fn inherit(mut self, name: &'static str) -> Self {
        self.environment.insert(name, Variable::Inherited);
        self
    }

    /// Sets the child's working directory.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Starts the child as the leader of a process group of its own, so that it and its children can be signalled together and do not
    /// receive our terminal's signals.
    pub fn process_group(mut self) -> Self {
        self.own_group = true;
        self
    }

    /// The child's standard input; [`Stream::Null`] unless set.
    pub fn stdin(mut self, stream: Stream) -> Self {
        self.stdin = stream;
        self
    }

    /// The child's standard output; unless set, ours for `spawn` and collected by `output`.
    pub fn stdout(mut self, stream: Stream) -> Self {
        self.stdout = Some(stream);
        self
    }

    /// The child's standard error; unless set, ours for `spawn` and collected by `output`.
    pub fn stderr(mut self, stream: Stream) -> Self {
        self.stderr = Some(stream);
        self
    }

    /// The words after the program's name.
    pub fn arguments(&self) -> impl Iterator<Item = &std::ffi::OsStr> {
        self.arguments.iter().map(OsString::as_os_str)
    }

    /// The names of the environment variables the child gets besides `PATH`, in order.
    pub fn environment_names(&self) -> impl Iterator<Item = &'static str> {
        self.environment.keys().copied()
    }

    /// The value set for an environment variable by [`Program::env`].
    pub fn environment_value(&self, name: &str) -> Option<&std::ffi::OsStr> {
        match self.environment.get(name) {
            Some(Variable::Set(value)) => Some(value),
            Some(Variable::Inherited) | None => None,
        }
    }

    /// What it is called in messages and in its own `argv[0]`.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Named(name) => (*name).to_owned(),
            Place::File(file) => file.display().to_string(),
        }
    }

    /// Fails with the first refused word, as every way of running the program does.
    pub fn check(&self) -> Result<(), ProgramError> {
        match &self.refused {
            None => Ok(()),
            Some(refused) => Err(ProgramError::Argument { program: self.name(), source: refused.clone() }),
        }
    }

    fn refuse(&mut self, error: ArgumentError) {
        self.refused.get_or_insert(error);
    }
}

impl fmt::Display for Program {
    /// The argv as one would type it, without the environment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        for argument in &self.arguments {
            let shown: String = argument.to_string_lossy().chars().map(visible).collect();
            write!(f, " {}", shell_words::quote(&shown))?;
        }
        Ok(())
    }
}

fn visible(c: char) -> char {
    if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("argv", &self.to_string())
            .field("environment", &self.environment.keys().collect::<Vec<_>>())
            .field("directory", &self.directory)
            .field("own_group", &self.own_group)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_never_becomes_an_option() {
        let program = Program::new("git").arg("log").value("--output=/tmp/pwned");
        let error = program.check().unwrap_err();
        assert!(matches!(
            error,
            ProgramError::Argument { source: ArgumentError::LooksLikeOption { .. }, .. }
        ));
        let program = Program::new("git").arg("log").end_of_options().value("--output=x");
        assert_eq!(program.to_string(), "git log -- '--output=x'");
        assert!(program.check().is_ok());
    }

    #[test]
    fn the_first_refusal_is_the_one_reported() {
        let program = Program::new("git").value("a\0b").value("-x");
        assert!(matches!(program.check(), Err(ProgramError::Argument { source: ArgumentError::Nul, .. })));
    }

    #[test]
    fn options_take_outside_values_behind_an_equals_sign() {
        let program = Program::new("git").option("--format=", "-x");
        assert_eq!(program.to_string(), "git '--format=-x'");
        assert!(Program::new("git").option("--format", "x").check().is_err());
    }

    #[test]
    fn words_by_place_may_begin_with_a_hyphen() {
        let program = Program::new("printf").positional("-x");
        assert_eq!(program.to_string(), "printf -x");
        assert!(program.check().is_ok());
        assert!(Program::new("printf").positional("a\0b").check().is_err());
    }

    #[test]
    fn nothing_printed_shows_the_environment() {
        let program = Program::new("git").env("TOKEN", "hunter2").value("two words");
        let shown = format!("{program} {program:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("TOKEN") && shown.contains("'two words'"), "{shown}");
    }
}
