use thiserror::Error;

use crate::remote_url::RemoteUrl;
use crate::ssh_command::{SshCommand, SshCommandError};
use paas_program::{Program, Stream};

/// What the person's own ssh may use: their agent, their way to ask for a passphrase, their search path for proxy commands.
const PERSONAL: [&str; 15] = [
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "LANG",
    "LC_ALL",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
];

/// Why a command line cannot be sent over ssh.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SshProgramError {
    /// The server would refuse it.
    #[error("the server would not take this command: {0}")]
    Refused(SshCommandError),
    /// The server would read other words than were given.
    #[error("this command cannot be sent over ssh: its first word is empty, a git command or a # remark")]
    Changed,
}

/// The laptop's `ssh`, running a command line of ours on the remote's server; our standard input is its own.
///
/// ssh sends one string, so the words are quoted here such that the server's [`SshCommand::parse`] gives the same words back; that is
/// checked before anything is sent. Without words it is the interactive login.
pub fn ssh_program(remote: &RemoteUrl, words: &[String]) -> Result<Program, SshProgramError> {
    let line = shell_words::join(words);
    match SshCommand::parse(&line).map_err(SshProgramError::Refused)? {
        SshCommand::CommandLine(read) if read == words => {}
        SshCommand::Empty if words.is_empty() => {}
        _ => return Err(SshProgramError::Changed),
    }
    let mut ssh = PERSONAL.into_iter().fold(Program::new("ssh"), Program::inherit).stdin(Stream::Inherit);
    if let Some(port) = remote.port() {
        ssh = ssh.arg("-p").value(port.to_string());
    }
    ssh = ssh.end_of_options().value(remote.destination());
    Ok(if words.is_empty() { ssh } else { ssh.value(line) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn argv(url: &str, words: &[&str]) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let program = ssh_program(&RemoteUrl::parse(url).unwrap(), &words).unwrap();
        program.check().unwrap();
        program.arguments().map(|word| word.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn the_host_comes_after_the_options_end() {
        assert_eq!(argv("paas@host:blog", &["apps:list"]), ["--", "paas@host", "apps:list"]);
        assert_eq!(argv("ssh://paas@[::1]:2222/blog", &[]), ["-p", "2222", "--", "paas@::1"]);
        let words = ["config:set", "-a", "blog", "MOTTO=it's $HOME; `id`"];
        let sent = argv("host:blog", &words);
        assert_eq!(shell_words::split(&sent[2]).unwrap(), words);
    }

    #[test]
    fn what_the_server_refuses_is_not_sent() {
        let remote = RemoteUrl::parse("paas@host:blog").unwrap();
        for words in [vec!["config:set", "A=1\u{1b}2"], vec!["git-receive-pack", "blog"], vec!["git", "x"]] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            assert!(ssh_program(&remote, &words).is_err(), "{words:?}");
        }
    }

    proptest! {
        #[test]
        fn the_server_reads_the_same_words(words in prop::collection::vec("\\PC{0,40}", 1..8)) {
            let remote = RemoteUrl::parse("paas@host:blog").unwrap();
            if let Ok(program) = ssh_program(&remote, &words) {
                let line = program.arguments().last().unwrap().to_str().unwrap().to_owned();
                prop_assert_eq!(SshCommand::parse(&line).unwrap(), SshCommand::CommandLine(words));
            } else {
                let git = words[0] == "git" || words[0].starts_with("git-");
                prop_assert!(git || shell_words::join(&words).len() > 8192);
            }
        }
    }
}
