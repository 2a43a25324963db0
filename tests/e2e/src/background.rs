//! A program that runs beside the test.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::command::Ran;
use crate::wait::wait_until;

const DEADLINE: Duration = Duration::from_mins(3);
const STREAM_END: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);

/// A program in a process group of its own, whose output is read while it runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Background {
    line: String,
    child: Child,
    started: Instant,
    stdout: Stream,
    stderr: Stream,
}

impl Background {
    /// Starts it; `input` is written to its standard input, which is then closed.
    pub fn spawn(mut command: Command, input: &[u8]) -> Self {
        let line = format!("{command:?}");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {line}: {error}"));
        let mut stdin = child.stdin.take().expect("standard input is piped");
        let input = input.to_vec();
        // A program that ends without reading its input breaks the pipe; its exit code tells the story.
        thread::spawn(move || drop(stdin.write_all(&input)));
        Self {
            line,
            stdout: Stream::collect(child.stdout.take().expect("standard output is piped")),
            stderr: Stream::collect(child.stderr.take().expect("standard error is piped")),
            child,
            started: Instant::now(),
        }
    }

    /// Sends a signal to the program and to what it has started, as a terminal does.
    pub fn signal_group(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a pid");
        // One that has ended meanwhile is what the caller will see.
        let _ = kill_process_group(pid, signal);
    }

    /// What it has printed so far on both streams.
    pub fn printed(&self) -> String {
        self.stdout.text() + &self.stderr.text()
    }

    /// Waits until the text is in what it has printed; whether it came in time.
    pub fn says_within(&self, text: &str, deadline: Duration) -> bool {
        wait_until(deadline, || self.printed().contains(text))
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end, and panics when it does not come in time.
    #[track_caller]
    pub fn wait(mut self) -> Ran {
        let status = loop {
            match self.child.try_wait().expect("the child can be waited for") {
                Some(status) => break Some(status),
                None if self.started.elapsed() > DEADLINE => break None,
                None => thread::sleep(POLL),
            }
        };
        let took = self.started.elapsed();
        if status.is_none() {
            self.end();
        }
        let (stdout, stderr) = (self.stdout.to_end(), self.stderr.to_end());
        let code = status.and_then(|status| status.code());
        let ran = Ran { line: self.line.clone(), code, stdout, stderr, took };
        assert!(status.is_some(), "killed after {DEADLINE:?}:\n{ran}");
        ran
    }

    fn end(&mut self) {
        self.signal_group(Signal::KILL);
        let _ = self.child.wait();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.is_running() {
            self.end();
        }
    }
}

/// What a program prints on one stream.
#[derive(Debug)]
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Stream {
    fn collect(mut source: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut block = [0; 8192];
            // What came before an error is still worth showing.
            while let Ok(length @ 1..) = source.read(&mut block) {
                shared.lock().expect("no reader panics").extend_from_slice(&block[..length]);
            }
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no reader panics")).into_owned()
    }

    /// All of it. Something that the program left behind may hold the stream open, so there is a limit.
    fn to_end(&self) -> String {
        wait_until(STREAM_END, || self.reader.is_finished());
        self.text()
    }
}
