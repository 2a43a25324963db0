use std::{env, fs::File, io, os::fd::OwnedFd, path::PathBuf};

use paas_program::{Program, Stream};
use paas_proxy::Successor;
use rustix::process::{Pid, Signal, kill_process};
use sd_notify::NotifyState;

use super::{serve, setup};
use crate::error::CliError;

/// What the next proxy needs of our environment: where systemd listens and what it wants, what to log.
const INHERITED: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "INVOCATION_ID", "JOURNAL_STREAM", "PAAS_LOG", "HOME"];

/// Starts `paas proxy` again, from the file that is installed by then.
#[derive(Debug)]
pub(super) struct NextProxy {
    binary: PathBuf,
    config: Option<PathBuf>,
}

impl NextProxy {
    pub(super) fn new(config: Option<PathBuf>) -> Result<Self, CliError> {
        // The file this process was started from may be replaced by then; its name leads to the new one.
        let named = env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
        let binary = named.map_or_else(setup::own_binary, Ok)?;
        Ok(Self { binary, config: config.map(std::path::absolute).transpose()? })
    }

    fn program(&self, socket: OwnedFd) -> Program {
        // It becomes a child of the service manager, which then sees its end, as it sees ours.
        let mut program = Program::new("setsid").arg("--fork").end_of_options().value(&self.binary);
        if let Some(config) = &self.config {
            program = program.arg("--config").value(config);
        }
        let program = program.arg("proxy").arg("--take-over").stdin(Stream::File(File::from(socket)));
        INHERITED.into_iter().fold(program, Program::inherit)
    }
}

impl Successor for NextProxy {
    fn start(&self, socket: OwnedFd) -> io::Result<()> {
        let status = self.program(socket).blocking_status().map_err(io::Error::other)?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("setsid: {status}"))) }
    }

    fn took_over(&self, pid: u32) {
        serve::notify(&[NotifyState::MainPid(pid)]);
    }

    fn hangs(&self, pid: u32) {
        let process = i32::try_from(pid).ok().and_then(Pid::from_raw);
        // Should it have ended this moment, that is as good.
        if let Some(Err(error)) = process.map(|pid| kill_process(pid, Signal::KILL)) {
            tracing::error!(pid, %error, "the new proxy could not be ended; restart this one");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn what_hangs_is_ended_whatever_it_does() {
        let mut child = Program::new("sleep").arg("600").blocking_spawn().unwrap();
        let pid = child.id();
        // One that is stopped hears no signal but one.
        kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), Signal::STOP).unwrap();
        NextProxy::new(None).unwrap().hangs(pid);
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }
}
