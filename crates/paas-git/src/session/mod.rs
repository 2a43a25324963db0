//! One push, from the client's first byte to git's exit code.

mod client;
mod group;
mod in_use;
mod leftovers;
mod pump;

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::process::ExitStatus;

use thiserror::Error;
use tokio::process::Child;
use tokio::time::timeout;

use crate::pack::ReceivePack;
use client::Client;
use group::{GRACE, Group};
use in_use::InUse;
use paas_program::{ProgramError, Stream};
use pump::Pump;

/// What becomes of a push whose client has gone away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// The deploy is past its switch: receive-pack goes on, unheard, so that the branch moves to what runs.
    LetFinish,
    /// Nothing has happened yet that must be kept: receive-pack is ended and nothing of the push is kept.
    Kill,
}

/// Why a push could not be served.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// git could not be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The streams to the client could not be set up, or git's end not be awaited.
    #[error("cannot serve the push")]
    System(#[from] io::Error),
}

/// Runs receive-pack for the client at our standard streams and gives the exit code to end with.
///
/// git reads our standard input itself and is in a process group of its own; what it writes is passed on by us. So when the client goes away
/// (its end of our standard output is closed, or we are sent SIGHUP, SIGINT or SIGTERM) git notices nothing. `on_hangup` is then asked, once; until it
/// has answered, and after [`Hangup::LetFinish`], git's output is drained to nowhere. After [`Hangup::Kill`] the whole group, hooks
/// included, gets SIGTERM and, if that does not end it, SIGKILL.
///
/// What a push ended by a signal leaves in the repository is cleared away at once, or by the next push when another one is under way.
///
/// A client that has only finished sending is not gone. Its end of our output has to stay open until we have ended, as sshd's does. Call it once for a
/// process, in a tokio runtime with I/O and time enabled.
pub async fn serve<F, Fut>(pack: &ReceivePack, on_hangup: F) -> Result<u8, ServeError>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Hangup>,
{
    let in_use = InUse::begin(pack.repository())?;
    let mut client = Client::watch(duplicate(rustix::stdio::stdout())?)?;
    let program =
        pack.program().process_group().stdin(Stream::Inherit).stdout(Stream::Piped).stderr(Stream::Piped);
    let mut git = program.spawn()?;
    let group = Group::led_by(&git)?;
    let output = Pump::start(
        git.stdout.take().map(tokio::process::ChildStdout::into_owned_fd),
        rustix::stdio::stdout(),
    )?;
    let errors = Pump::start(
        git.stderr.take().map(tokio::process::ChildStderr::into_owned_fd),
        rustix::stdio::stderr(),
    )?;

    let ended = supervise(&mut git, &group, &mut client, on_hangup).await?;
    let passed_on = async {
        output.finished().await;
        errors.finished().await;
    };
    if ended.heard {
        tokio::select! {
            () = passed_on => {}
            () = client.gone() => {}
        }
    } else if timeout(GRACE, passed_on).await.is_err() {
        // git has ended and something it started has not; nobody waits for that.
        group.kill()?;
    }
    if ended.status.code().is_none() {
        in_use.end();
    }
    Ok(exit_code(ended.status))
}

/// How git ended, and whether the client was still there.
struct Ended {
    status: ExitStatus,
    heard: bool,
}

async fn supervise<F, Fut>(
    git: &mut Child,
    group: &Group,
    client: &mut Client,
    on_hangup: F,
) -> io::Result<Ended>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Hangup>,
{
    tokio::select! {
        biased;
        status = git.wait() => return Ok(Ended { status: status?, heard: true }),
        () = client.gone() => {}
    }
    tracing::info!("the client has gone away");
    let decision = tokio::select! {
        biased;
        status = git.wait() => return Ok(Ended { status: status?, heard: false }),
        decision = on_hangup() => decision,
    };
    let status = match decision {
        Hangup::LetFinish => git.wait().await?,
        Hangup::Kill => group.end(git).await?,
    };
    Ok(Ended { status, heard: false })
}

/// git's own code; as a shell would count it when a signal ended git.
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    u8::try_from(code).unwrap_or(u8::MAX)
}

fn duplicate(stream: impl AsFd) -> io::Result<File> {
    Ok(File::from(stream.as_fd().try_clone_to_owned()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn exit_codes_are_those_of_a_shell() {
        assert_eq!(exit_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(exit_code(ExitStatus::from_raw(1 << 8)), 1);
        assert_eq!(exit_code(ExitStatus::from_raw(15)), 143);
    }
}
