use super::protocol::Protocol;
use paas_program::Program;

/// What git on the server gets to see, whatever the client sent: no home, no configuration files of the system or of a user, one
/// language. `LD_PRELOAD`, `GIT_DIR`, `GIT_CONFIG_*` and push options of a client have no way in.
pub(super) fn git(protocol: Option<Protocol>) -> Program {
    let program = Program::new("git")
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    match protocol {
        Some(protocol) => program.env("GIT_PROTOCOL", protocol.value()),
        None => program,
    }
}
