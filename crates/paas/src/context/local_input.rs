use std::{
    fs::File,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use paas_git::Stream;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::{error::CliError, password_prompt};

/// What a command that runs on the server needs of the laptop it was typed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LocalInput {
    /// Our standard input as it is.
    Inherited,
    /// A file of this machine.
    File(PathBuf),
    /// A password: asked for here, where the terminal can hide it.
    Password,
}

impl LocalInput {
    /// What becomes the standard input of `ssh`.
    pub(super) fn open(&self) -> Result<Stream, CliError> {
        match self {
            Self::File(path) => {
                let file = File::open(path).map_err(|error| {
                    CliError::refused(format!("{} cannot be read: {error}", path.display()))
                })?;
                Ok(Stream::File(file))
            }
            Self::Password if io::stdin().is_terminal() => {
                let password = password_prompt::ask()?;
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from)?;
                // A pipe holds more than a password has, so nobody needs to read yet.
                File::from(writer).write_all(password.expose().as_bytes())?;
                Ok(Stream::File(File::from(reader)))
            }
            Self::Inherited | Self::Password => Ok(Stream::Inherit),
        }
    }

    /// What tells the server that its standard input is what the command names.
    pub(super) fn flag(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => Some("--stdin"),
            Self::Inherited | Self::Password => None,
        }
    }
}
