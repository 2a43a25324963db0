//! The real `paas proxy` hands over to another process of itself, without systemd.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::unix::fs::symlink,
    path::Path,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use paas_program::Program;
use paas_proxy::ProxyClient;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

const DEADLINE: Duration = Duration::from_secs(30);

/// An installation of nothing but the proxy. All its processes are ended when it is dropped.
struct Installation {
    directory: tempfile::TempDir,
    address: SocketAddr,
    client: ProxyClient,
    runtime: tokio::runtime::Runtime,
    first: std::process::Child,
}

/// Of no other test at the same time, and no port that the kernel gives away.
fn own_address() -> SocketAddr {
    static PORT: AtomicU16 = AtomicU16::new(8080);
    let host = Ipv4Addr::from(0x7f80_0000 | std::process::id() & 0x3f_ffff);
    (host, PORT.fetch_add(1, Ordering::Relaxed)).into()
}

impl Installation {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::create_dir_all(at.join("data/proxy")).unwrap();
        fs::create_dir(at.join("run")).unwrap();
        let address = own_address();
        let config = format!(
            "domain = \"example.org\"\n[paths]\ndata = \"{0}/data\"\nrun = \"{0}/run\"\n[proxy]\nhttp = [\"{address}\"]\nhttps = []\n",
            at.display()
        );
        fs::write(at.join("paas.toml"), config).unwrap();
        install(at, env!("CARGO_BIN_EXE_paas"));
        let first = paas(at).arg("proxy").blocking_spawn().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = ProxyClient::new(at.join("run/proxy.sock"));
        let this = Self { directory, address, client, runtime, first };
        this.until("the start", |this| this.pid().is_some());
        this
    }

    /// The process that takes commands.
    fn pid(&self) -> Option<u32> {
        self.runtime.block_on(self.client.status()).ok().map(|status| status.pid)
    }

    fn reload(&self) -> Output {
        // Not the installed one: what is installed may be broken.
        let config = self.directory.path().join("paas.toml");
        let program = Program::at(env!("CARGO_BIN_EXE_paas")).arg("--config").value(config);
        program.arg("proxy:reload").blocking_output().unwrap()
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !is_so(self) {
            assert!(begin.elapsed() < DEADLINE, "{what} did not happen");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if let Some(pid) = self.pid().and_then(process) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.first.kill();
        let _ = self.first.wait();
    }
}

fn process(pid: u32) -> Option<Pid> {
    Pid::from_raw(pid.try_into().ok()?)
}

/// Puts a program in the place of the installed one, as install.sh does.
fn install(at: &Path, program: &str) {
    symlink(program, at.join("paas.new")).unwrap();
    fs::rename(at.join("paas.new"), at.join("paas")).unwrap();
}

fn paas(at: &Path) -> Program {
    Program::at(at.join("paas")).arg("--config").value(at.join("paas.toml"))
}

/// The first line of the answer to a request on a connection of its own.
fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: unknown.test\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn a_reload_is_another_process_and_no_request_is_lost() {
    let mut paas = Installation::start();
    let before = paas.pid().unwrap();
    let (address, stop, count) =
        (paas.address, Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    assert_eq!(ask(address), "HTTP/1.1 404 Not Found");
                    count.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    paas.until("requests", |_| count.load(Ordering::SeqCst) > 50);
    let reloaded = paas.reload();
    assert!(reloaded.status.success(), "{reloaded:?}");
    let second = paas.pid().unwrap();
    assert_ne!(second, before);
    let said = String::from_utf8(reloaded.stdout).unwrap();
    assert_eq!(said, format!("The proxy has handed over to process {second}\n"));
    assert!(paas.first.wait().unwrap().success(), "the first one ends by itself");

    // By a signal too.
    kill_process(process(second).unwrap(), Signal::HUP).unwrap();
    paas.until("another process", |paas| paas.pid().is_some_and(|pid| pid != second));
    paas.until("the end of the second", |_| test_kill_process(process(second).unwrap()).is_err());
    let so_far = count.load(Ordering::SeqCst);
    paas.until("more requests", |_| count.load(Ordering::SeqCst) > so_far + 50);
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn a_version_that_does_not_start_changes_nothing() {
    let paas = Installation::start();
    let before = paas.pid().unwrap();
    install(paas.directory.path(), "/bin/false");
    let reloaded = paas.reload();
    assert!(!reloaded.status.success(), "{reloaded:?}");
    assert_eq!(paas.pid(), Some(before));
    assert_eq!(ask(paas.address), "HTTP/1.1 404 Not Found");
    install(paas.directory.path(), env!("CARGO_BIN_EXE_paas"));
    assert!(paas.reload().status.success());
    assert_ne!(paas.pid(), Some(before));
}
