use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::oneshot;

use super::duplicate;

/// A pipe of Linux holds 64 KiB, so no read can bring more.
const BUFFER: usize = 64 * 1024;

/// A thread that passes on what git writes, and goes on reading when nobody takes it any more, so that git never meets a closed pipe.
pub(super) struct Pump {
    finished: oneshot::Receiver<()>,
}

impl Pump {
    pub(super) fn start(from: Option<io::Result<OwnedFd>>, to: impl AsFd) -> io::Result<Self> {
        let from = File::from(from.ok_or_else(|| io::Error::other("git was started without a pipe"))??);
        let to = duplicate(to)?;
        let (tell, finished) = oneshot::channel();
        thread::Builder::new().name("git-output".to_owned()).spawn(move || {
            pass_on(from, to);
            // The session may have been given up already.
            let _ = tell.send(());
        })?;
        Ok(Self { finished })
    }

    /// Ends when all that git wrote has been passed on or thrown away.
    pub(super) async fn finished(self) {
        // An error means that the thread is gone, which is an end too.
        let _ = self.finished.await;
    }
}

fn pass_on(mut from: impl Read, to: impl Write + AsFd) {
    let mut buffer = vec![0; BUFFER];
    let mut client = Some(to);
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if client.as_mut().is_some_and(|client| write_all(client, &buffer[..read]).is_err()) {
            client = None;
        }
    }
}

/// As `Write::write_all`, also when somebody made the stream non-blocking: it is shared with whoever started us.
fn write_all(client: &mut (impl Write + AsFd), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match client.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll(&mut [PollFd::new(client, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn everything_arrives_over_a_non_blocking_stream() {
        let sent: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let source = sent.clone();
        let pump = thread::spawn(move || pass_on(source.as_slice(), ours));
        let mut received = Vec::new();
        theirs.read_to_end(&mut received).unwrap();
        pump.join().unwrap();
        assert!(received == sent);
    }

    #[test]
    fn the_source_is_drained_after_the_client_has_gone() {
        let (reader, to_client) = io::pipe().unwrap();
        drop(reader);
        let (from_git, mut git) = io::pipe().unwrap();
        let pump = thread::spawn(move || pass_on(from_git, to_client));
        // Far more than a pipe holds: without draining this would block, or fail with a broken pipe.
        git.write_all(&vec![7; 1 << 20]).unwrap();
        drop(git);
        pump.join().unwrap();
    }
}
