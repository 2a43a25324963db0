use std::path::PathBuf;

use super::environment;
use super::protocol::Protocol;
use paas_program::{Program, Stream};

/// `git upload-pack` on one repository: the server's side of a fetch or a clone. Needs no watching, so a session becomes it
/// ([`Program::exec`]).
#[derive(Debug, Clone)]
pub struct UploadPack {
    repository: PathBuf,
    protocol: Option<Protocol>,
}

impl UploadPack {
    /// Serves `repository`.
    pub fn new(repository: impl Into<PathBuf>) -> Self {
        Self { repository: repository.into(), protocol: None }
    }

    /// The protocol version the client asked for.
    #[must_use]
    pub fn protocol(mut self, protocol: Option<Protocol>) -> Self {
        self.protocol = protocol;
        self
    }

    /// The whole command, with our standard input. It ends after ten minutes without a word from the client.
    pub fn program(&self) -> Program {
        environment::git(self.protocol)
            .arg("-c")
            .arg("safe.directory=*")
            .arg("upload-pack")
            .arg("--strict")
            .arg("--timeout=600")
            .end_of_options()
            .value(&self.repository)
            .stdin(Stream::Inherit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_fixed() {
        let program = UploadPack::new("/srv/1.git").protocol(Some(Protocol::V1)).program();
        let expected = "git -c 'safe.directory=*' upload-pack --strict '--timeout=600' -- /srv/1.git";
        assert_eq!(program.to_string(), expected);
        let names: Vec<_> = program.environment_names().collect();
        assert_eq!(names, ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_PROTOCOL", "HOME", "LC_ALL"]);
    }
}
