use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::time::timeout;

/// How long git may take to end after SIGTERM, and what it started to end after it.
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// The process group of a running git: itself, its helpers and its hooks.
pub(super) struct Group(Pid);

impl Group {
    /// The group of a child that was started as its leader.
    pub(super) fn led_by(child: &Child) -> io::Result<Self> {
        child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
            .map(Self)
            .ok_or_else(|| io::Error::other("git ended before it could be watched"))
    }

    /// Ends the group and waits for its leader. SIGKILL follows only when SIGTERM was not enough, while the leader is not yet waited for, so the
    /// group's number cannot belong to anybody else.
    pub(super) async fn end(&self, leader: &mut Child) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        if let Ok(status) = timeout(GRACE, leader.wait()).await {
            return status;
        }
        tracing::warn!("git did not end on SIGTERM and is killed");
        self.kill()?;
        leader.wait().await
    }

    /// Kills what is left of the group.
    pub(super) fn kill(&self) -> io::Result<()> {
        self.signal(Signal::KILL)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        match kill_process_group(self.0, signal) {
            // All of it has ended by itself.
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use paas_program::Program;

    #[tokio::test]
    async fn the_whole_group_ends() {
        let mut leader = Program::new("sleep").value("600").process_group().spawn().unwrap();
        let group = Group::led_by(&leader).unwrap();
        let status = group.end(&mut leader).await.unwrap();
        assert_eq!(status.signal(), Some(Signal::TERM.as_raw()));
        group.signal(Signal::TERM).unwrap();
    }
}
