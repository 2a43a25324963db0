use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Child,
    time::Duration,
};

use paas_program::Program;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::error::BenchError;

/// The unit of the times in `/proc/PID/stat`: `USER_HZ` (proc(5)), 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);
const READY: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
/// Where the moment is what is measured.
const CLOSE_POLL: Duration = Duration::from_millis(1);

/// A server that runs until it is dropped.
pub(crate) struct Server {
    pub(crate) name: String,
    /// Where it serves plain HTTP.
    pub(crate) http: SocketAddr,
    /// Where it serves HTTPS.
    pub(crate) https: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts it and waits until it accepts connections at both addresses.
    pub(crate) async fn start(
        name: &str,
        http: SocketAddr,
        https: SocketAddr,
        program: &Program,
    ) -> Result<Self, BenchError> {
        let server = Self::spawn(name, http, https, program)?;
        let accepts = || [http, https].iter().all(|address| TcpStream::connect(address).is_ok());
        server.until(POLL, accepts).await?;
        Ok(server)
    }

    /// Starts it and waits until a host of its has an answer of 200. Says how long that took.
    pub(crate) async fn timed_start(
        name: &str,
        http: SocketAddr,
        https: SocketAddr,
        program: &Program,
        host: &str,
    ) -> Result<(Self, Duration), BenchError> {
        let begin = Instant::now();
        let server = Self::spawn(name, http, https, program)?;
        server.until(CLOSE_POLL, || answers(http, host).is_ok_and(|is_200| is_200)).await?;
        Ok((server, begin.elapsed()))
    }

    fn spawn(name: &str, http: SocketAddr, https: SocketAddr, program: &Program) -> Result<Self, BenchError> {
        Ok(Self { name: name.to_owned(), http, https, process: Process(program.blocking_spawn()?) })
    }

    async fn until(&self, poll: Duration, is_so: impl Fn() -> bool) -> Result<(), BenchError> {
        let begin = Instant::now();
        while !is_so() {
            if begin.elapsed() > READY {
                return Err(BenchError::NotReady { server: self.name.clone(), waited: READY });
            }
            sleep(poll).await;
        }
        Ok(())
    }

    /// User and system time of all its processes since they started.
    pub(crate) fn cpu(&self) -> Result<Duration, BenchError> {
        let ticks: Option<u32> = self.process.family().into_iter().map(ticks).sum();
        ticks.map(|ticks| TICK * ticks).ok_or_else(|| BenchError::Gone(self.name.clone()))
    }

    /// Bytes of memory all its processes occupy; what they share counts for each.
    pub(crate) fn resident(&self) -> Result<usize, BenchError> {
        self.memory("VmRSS:")
    }

    /// The most they occupied, each by itself, since [`Self::forget_peak`].
    pub(crate) fn peak(&self) -> Result<usize, BenchError> {
        self.memory("VmHWM:")
    }

    /// From now on the most they occupy is counted anew.
    pub(crate) fn forget_peak(&self) -> Result<(), BenchError> {
        for pid in self.process.family() {
            // 5 is that (proc(5)).
            let file = PathBuf::from(format!("/proc/{pid}/clear_refs"));
            fs::write(&file, "5").map_err(|error| BenchError::File(file, error))?;
        }
        Ok(())
    }

    fn memory(&self, line: &str) -> Result<usize, BenchError> {
        let kib: Option<usize> = self.process.family().into_iter().map(|pid| kib(pid, line)).sum();
        kib.map(|kib| kib * 1024).ok_or_else(|| BenchError::Gone(self.name.clone()))
    }
}

/// Whether a host answers a request with 200 now.
fn answers(address: SocketAddr, host: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(END))?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 200 "))
}

/// A line of what the kernel says of a process (proc(5)); `None` when it is gone.
fn kib(pid: u32, line: &str) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|found| found.strip_prefix(line))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The fields `utime` and `stime` of a process; `None` when it is gone.
fn ticks(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows has no parenthesis. The state is field 3.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?)
}

/// A child and its children, ended by SIGTERM when dropped.
struct Process(Child);

impl Process {
    /// Its process id and those of its children, who are what works in nginx.
    fn family(&self) -> Vec<u32> {
        let pid = self.0.id();
        let children = fs::read_to_string(PathBuf::from(format!("/proc/{pid}/task/{pid}/children")));
        let children = children.unwrap_or_default();
        std::iter::once(pid).chain(children.split_whitespace().filter_map(|pid| pid.parse().ok())).collect()
    }

    fn end(&mut self) -> io::Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        let begin = Instant::now();
        while begin.elapsed() < END {
            if self.0.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(POLL);
        }
        self.0.kill()?;
        self.0.wait().map(drop)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("process {} could not be ended: {error}", self.0.id());
        }
    }
}
