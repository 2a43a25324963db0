//! A long-running process of the installation, with its log in a file.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::program;

const POLL: Duration = Duration::from_millis(5);

/// A running `paas serve`, `paas proxy` or `sshd`.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it in a process group of its own; both streams are appended to `<directory>/<name>.log`.
    ///
    /// It is killed when the test's thread ends, however that ends: a test runner that gives up on a test kills only the test.
    pub(crate) fn spawn(name: &str, command: &Command, directory: &Path) -> Self {
        let log = directory.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).expect("a log file");
        let copy = file.try_clone().expect("a second handle of the log file");
        let mut tied = program("setpriv");
        tied.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
        tied.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        tied.stdin(Stdio::null()).stdout(file).stderr(copy).process_group(0);
        let child = tied.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { name: name.to_owned(), child, log }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child can be waited for")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a pid");
        // One that has ended meanwhile is what the caller will see.
        let _ = kill_process(pid, signal);
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits for the end; panics when it does not come within `grace`.
    pub fn terminate(&mut self, grace: Duration) -> ExitStatus {
        if self.ended().is_none() {
            self.signal(Signal::TERM);
        }
        self.wait(grace)
    }

    /// Waits for the end by itself; panics when it does not come within `deadline`.
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            match self.ended() {
                Some(status) => return status,
                None if start.elapsed() > deadline => {
                    let log = self.log_tail(60);
                    self.kill();
                    panic!("{} did not end within {deadline:?}; its log ends:\n{log}", self.name);
                }
                None => thread::sleep(POLL),
            }
        }
    }

    /// Everything it has logged, over its restarts too.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The last lines of its log.
    pub fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<_> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            self.kill();
        }
    }
}
