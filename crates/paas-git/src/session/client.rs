use std::fs::File;
use std::io::{self, PipeWriter};
use std::os::fd::AsFd;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// The other end of our standard output, watched for going away.
///
/// sshd gives a session socket pairs or pipes, as it was built. Only the output tells: a client that has sent its pack closes its sending
/// half, which on a socket pair is a half-closed socket and on a pipe the end of standard input, both long before the client is gone.
/// poll(2) reports the other end of the output as POLLHUP (socket, terminal) or POLLERR (pipe) without being asked for an event.
pub(super) struct Client {
    gone: Option<oneshot::Receiver<()>>,
    signals: [Signal; 3],
    // Closing it ends the watching thread.
    _stop: PipeWriter,
}

impl Client {
    pub(super) fn watch(output: File) -> io::Result<Self> {
        let signals = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()];
        let [hangup, interrupt, terminate] = signals.map(signal);
        let (tell, gone) = oneshot::channel();
        let (stopped, stop) = io::pipe()?;
        thread::Builder::new().name("client-watch".to_owned()).spawn(move || {
            if is_gone(&output, &stopped) {
                // Nobody listens when the push has just ended.
                let _ = tell.send(());
            }
        })?;
        Ok(Self { gone: Some(gone), signals: [hangup?, interrupt?, terminate?], _stop: stop })
    }

    /// Ends when the client has gone away, or when we are told to stop, which is treated alike: nobody reads us any more. Each of these
    /// ends one wait.
    pub(super) async fn gone(&mut self) {
        let [hangup, interrupt, terminate] = &mut self.signals;
        tokio::select! {
            () = told(&mut self.gone) => {}
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

async fn told(gone: &mut Option<oneshot::Receiver<()>>) {
    if let Some(receiver) = gone {
        let told = receiver.await.is_ok();
        *gone = None;
        if told {
            return;
        }
    }
    // Told before, or the watch could not go on: only signals are left.
    std::future::pending::<()>().await;
}

/// Waits until the reader of `output` has gone away (`true`) or `stopped`'s writer is closed (`false`).
fn is_gone(output: &impl AsFd, stopped: &impl AsFd) -> bool {
    loop {
        let mut watched = [PollFd::new(output, PollFlags::empty()), PollFd::new(stopped, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(_) => return false,
        }
        if !watched[0].revents().is_empty() {
            return true;
        }
        if !watched[1].revents().is_empty() {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn watching<O: AsFd + Send + 'static>(output: O) -> (thread::JoinHandle<bool>, PipeWriter) {
        let (stopped, stop) = io::pipe().unwrap();
        (thread::spawn(move || is_gone(&output, &stopped)), stop)
    }

    #[test]
    fn a_closed_pipe_is_a_client_gone() {
        let (reader, writer) = io::pipe().unwrap();
        let (watch, _stop) = watching(writer);
        drop(reader);
        assert!(watch.join().unwrap());
    }

    #[test]
    fn a_half_closed_socket_is_a_client_that_listens() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.shutdown(Shutdown::Write).unwrap();
        let (watch, stop) = watching(ours.try_clone().unwrap());
        drop(stop);
        assert!(!watch.join().unwrap(), "a client that has finished sending was taken for gone");
        let (watch, _stop) = watching(ours);
        drop(theirs);
        assert!(watch.join().unwrap());
    }

    #[test]
    fn a_file_never_goes_away() {
        let (watch, stop) = watching(tempfile::tempfile().unwrap());
        drop(stop);
        assert!(!watch.join().unwrap());
    }
}
