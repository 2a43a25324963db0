use std::io;
use std::process::ExitStatus;

use thiserror::Error;

use crate::argument::ArgumentError;

/// Why a program could not be run, or what it ended with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It is in none of the directories programs are looked up in.
    #[error("{program} is not installed: run `apt-get install {package}` and try again")]
    Missing {
        /// The program's name.
        program: String,
        /// The Debian package that has it.
        package: String,
    },
    /// The file that was named is not an executable file at an absolute path.
    #[error("{program} is not an executable file at an absolute path; `chmod +x` it, or name another")]
    NotExecutable {
        /// The file.
        program: String,
    },
    /// A word was refused; nothing was started.
    #[error("an argument for {program} was refused")]
    Argument {
        /// The program's name.
        program: String,
        /// Why.
        source: ArgumentError,
    },
    /// The system did not start it.
    #[error("cannot start {program}")]
    Start {
        /// The program's name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its output could not be read, or its end not be awaited.
    #[error("lost {program} while it was running")]
    Lost {
        /// The program's name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ran and did not succeed.
    #[error("{program} failed ({status}){}{stderr}", if stderr.is_empty() { "" } else { ": " })]
    Failed {
        /// The program's name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to standard error, as one line.
        stderr: String,
    },
}
