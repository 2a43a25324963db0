//! Asks a person at a terminal for a password.

use std::io::{self, BufRead as _, Read as _, Write as _};

use paas_domain::Secret;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::error::CliError;

/// More than any password.
const LONGEST: u64 = 4096;

/// Reads one line from the terminal without showing it.
pub(crate) fn ask() -> Result<Secret, CliError> {
    let mut stderr = io::stderr();
    write!(stderr, "Password: ")?;
    stderr.flush()?;
    let hidden = Hidden::new()?;
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line)?;
    drop(hidden);
    writeln!(stderr)?;
    Ok(Secret::new(line.trim_end_matches(['\n', '\r'])))
}

/// The terminal shows nothing that is typed while this lives.
struct Hidden(Termios);

impl Hidden {
    fn new() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that went away in the meantime shows nothing anyway.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
