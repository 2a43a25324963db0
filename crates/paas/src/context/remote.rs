//! From a laptop: the same words, said to the server over the laptop's own ssh.

use std::{ffi::OsString, process::ExitCode};

use paas_domain::AppName;
use paas_git::{RemoteUrl, find_deploy_remote, ssh_program};

use super::LocalInput;
use crate::error::CliError;

/// Without `--host` the git remote `deploy` says where; when it does not, this.
const WHERE: &str =
    "say which server: --host paas@HOST, PAAS_HOST, or `git remote add deploy paas@HOST:APP` in your clone";

/// Runs the command line on the server and ends with its exit code.
pub(crate) fn run(
    host: Option<&str>,
    arguments: &[OsString],
    takes_app: bool,
    input: &LocalInput,
) -> Result<ExitCode, CliError> {
    let remote = match find_deploy_remote(std::path::Path::new(".")) {
        Ok(found) => found,
        // A broken remote matters only when nothing else says where to go.
        Err(_) if host.is_some() => None,
        Err(error) => return Err(CliError::of(&error)),
    };
    let mut words = forwarded(arguments)?;
    if let (true, Some(remote)) = (takes_app, &remote) {
        // Behind the command's own word: after a `--` it would be one of the person's.
        words.insert(words.len().min(1), format!("--remote-app={}", remote.app()));
    }
    if let Some(flag) = input.flag() {
        words.insert(words.len().min(1), flag.to_owned());
    }
    let target = match (host, remote) {
        (Some(host), _) => from_host(host)?,
        (None, Some(remote)) => remote,
        (None, None) => return Err(CliError::usage(WHERE)),
    };
    let ssh = ssh_program(&target, &words).map_err(|error| CliError::of(&error))?.stdin(input.open()?);
    let status = ssh.blocking_status().map_err(|error| CliError::of(&error))?;
    match status.code() {
        // ssh(1): 255 is ssh's own failure; it has said why.
        Some(255) => Err(CliError::unreachable(format!("ssh could not reach {}", target.host()))),
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => Err(CliError::silent()),
    }
}

/// The words without the flags that are this machine's own.
fn forwarded(arguments: &[OsString]) -> Result<Vec<String>, CliError> {
    let mut words = Vec::new();
    let mut arguments = arguments.iter().skip(1);
    while let Some(argument) = arguments.next() {
        let word = argument.to_str().ok_or_else(|| CliError::usage("a word of the command is not UTF-8"))?;
        if word == "--" {
            words.push(word.to_owned());
            words.extend(arguments.map(|word| word.to_string_lossy().into_owned()));
            break;
        }
        if word == "--host" || word == "--config" {
            arguments.next();
        } else if !word.starts_with("--host=") && !word.starts_with("--config=") {
            words.push(word.to_owned());
        }
    }
    Ok(words)
}

/// `paas@host`, `host`, `paas@host:2222`, `ssh://paas@host:2222`.
fn from_host(text: &str) -> Result<RemoteUrl, CliError> {
    let bare = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    let (user, place) = bare.rsplit_once('@').unwrap_or(("paas", bare));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => {
            let port = port.parse().map_err(|_| CliError::usage(format!("\"{port}\" is not a port")))?;
            (host, Some(port))
        }
        _ => (place.trim_matches(['[', ']']), None),
    };
    // The app of this remote is never used: the words say which.
    let none = AppName::new("none").map_err(|error| CliError::ours(&error))?;
    RemoteUrl::new(Some(user), host, port, none).map_err(|error| CliError::of(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(given: &[&str]) -> Vec<String> {
        let given: Vec<OsString> = given.iter().map(OsString::from).collect();
        forwarded(&given).unwrap()
    }

    #[test]
    fn flags_of_this_machine_stay_here() {
        assert_eq!(words(&["paas", "--host", "h", "apps:list", "--json"]), ["apps:list", "--json"]);
        assert_eq!(words(&["paas", "config:set", "--host=h", "A=--host"]), ["config:set", "A=--host"]);
        assert_eq!(words(&["paas", "run", "--", "--host", "x"]), ["run", "--", "--host", "x"]);
    }

    #[test]
    fn a_host_may_have_a_user_and_a_port() {
        let of = |text| {
            from_host(text).map(|url| (url.user().map(str::to_owned), url.host().to_owned(), url.port()))
        };
        assert_eq!(of("h.example.org").unwrap(), (Some("paas".into()), "h.example.org".into(), None));
        assert_eq!(of("root@127.0.0.1:2222").unwrap(), (Some("root".into()), "127.0.0.1".into(), Some(2222)));
        assert_eq!(of("ssh://me@[::1]").unwrap().1, "::1");
        assert!(of("-oProxyCommand=x").is_err());
    }
}
