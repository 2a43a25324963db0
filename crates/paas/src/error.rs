use std::{error::Error, fmt::Write as _, io::Write as _, process::ExitCode};

use paas_control::{ClientError, wire::ErrorKind};

/// What every failure of the command line ends as: printed once, here, with what to do next and an exit code that scripts can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

/// Whose turn it is to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Understood and refused: exit 1.
    Refused,
    /// Not understood: exit 2.
    Usage,
    /// The server is away: exit 69 (`EX_UNAVAILABLE` of sysexits(3)).
    Unreachable,
    /// Our fault: exit 70 (`EX_SOFTWARE`).
    Ours,
    /// Everything that is to be said was said already: exit 1.
    Silent,
}

impl CliError {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { kind: Kind::Refused, message: message.into(), hints: Vec::new() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, message: message.into(), hints: Vec::new() }
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { kind: Kind::Unreachable, message: message.into(), hints: Vec::new() }
    }

    /// A failure that is not the person's.
    pub(crate) fn ours(error: &dyn Error) -> Self {
        Self { kind: Kind::Ours, message: paas_deploy::chain(error), hints: Vec::new() }
    }

    /// A failure of the person's input or of the server's state, with its causes.
    pub(crate) fn of(error: &dyn Error) -> Self {
        Self::refused(paas_deploy::chain(error))
    }

    /// Exit 1 without another word.
    pub(crate) fn silent() -> Self {
        Self { kind: Kind::Silent, message: String::new(), hints: Vec::new() }
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Refused | Kind::Silent => 1,
            Kind::Usage => 2,
            Kind::Unreachable => 69,
            Kind::Ours => 70,
        })
    }

    /// Prints to standard error; a closed one is nobody's problem.
    pub(crate) fn print(&self) {
        if self.kind == Kind::Silent {
            return;
        }
        let mut text = String::new();
        for line in self.message.lines().chain(self.hints.iter().flat_map(|hint| hint.lines())) {
            let _ = writeln!(text, " !     {line}");
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable { .. } => Self::unreachable(error.to_string()),
            ClientError::Refused(refusal) => Self {
                kind: match refusal.kind {
                    ErrorKind::Internal => Kind::Ours,
                    ErrorKind::Unavailable => Kind::Unreachable,
                    ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::Conflict => Kind::Refused,
                },
                message: refusal.message,
                hints: refusal.hints,
            },
            other => Self::ours(&other),
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        // Whoever read our output has read enough.
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::silent() } else { Self::ours(&error) }
    }
}
