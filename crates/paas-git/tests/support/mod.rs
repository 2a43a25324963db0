//! A receiving end in temporary directories, and the real git client that pushes to it.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may panic; clippy knows only `#[test]` functions"
)]
#![allow(clippy::must_use_candidate, clippy::missing_panics_doc, reason = "helpers of tests")]
#![allow(unreachable_pub, reason = "the module is part of several test binaries")]
#![allow(clippy::disallowed_methods, reason = "the tests start the real git client as a person would")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use paas_domain::AppId;
use paas_git::{Repositories, install_hooks};

pub const DEADLINE: Duration = Duration::from_mins(1);

pub struct Server {
    directory: tempfile::TempDir,
    transport: &'static str,
}

impl Server {
    /// Reached over pipes.
    pub fn new() -> Self {
        Self::over("pipes")
    }

    /// Reached over `pipes` or a `socketpair`.
    pub fn over(transport: &'static str) -> Self {
        let server = Self { directory: tempfile::tempdir().unwrap(), transport };
        for part in ["repos", "state", "home", "work"] {
            fs::create_dir(server.path(part)).unwrap();
        }
        install_hooks(&server.path("hooks"), &receive_binary()).unwrap();
        server
    }

    pub fn path(&self, part: &str) -> PathBuf {
        self.directory.path().join(part)
    }

    pub fn repository(&self) -> PathBuf {
        self.repositories().path(AppId(1))
    }

    pub fn repositories(&self) -> Repositories {
        Repositories::new(self.path("repos"), self.path("hooks"))
    }

    /// The commit the server's branch is at.
    pub fn branch(&self, name: &str) -> Option<String> {
        self.repositories().branch(AppId(1), name).unwrap().map(String::from)
    }

    /// Puts a shell script in a hook's place. `$STATE` is the state directory.
    pub fn script_hook(&self, name: &str, script: &str) {
        let path = self.path("hooks").join(name);
        let _ = fs::remove_file(&path);
        let state = self.path("state");
        fs::write(&path, format!("#!/bin/sh\nSTATE={}\n{script}\n", state.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn make_fifo(&self, name: &str) -> PathBuf {
        let path = self.path("state").join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    }

    /// A repository on the laptop with one commit on `main` and the remote `deploy`.
    pub fn work_tree(&self, name: &str) -> WorkTree<'_> {
        let tree = WorkTree { server: self, path: self.path("work").join(name) };
        fs::create_dir(&tree.path).unwrap();
        tree.ok(&["init", "-q", "-b", "main"]);
        tree.ok(&["remote", "add", "deploy", "paas@host:blog"]);
        tree.commit("Dockerfile", "FROM scratch\n");
        tree
    }

    pub fn state(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path("state").join(name)).ok()
    }

    /// Waits until the session or a hook has written a state file.
    pub fn wait_for_state(&self, name: &str) -> String {
        wait_until(&format!("the state file {name}"), || self.state(name))
    }

    /// Quarantine directories and half-written packs in the repository.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut left = Vec::new();
        for directory in ["objects", "objects/pack"] {
            for entry in fs::read_dir(self.repository().join(directory)).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                if name.starts_with("tmp_") || name.starts_with("incoming-") {
                    left.push(entry.path());
                }
            }
        }
        left
    }
}

pub struct WorkTree<'a> {
    pub server: &'a Server,
    pub path: PathBuf,
}

impl WorkTree<'_> {
    /// The client's git, with an environment that would be dangerous on the server.
    pub fn git(&self, arguments: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.args(arguments)
            .current_dir(&self.path)
            .env("HOME", self.server.path("home"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "A")
            .env("GIT_AUTHOR_EMAIL", "a@example.org")
            .env("GIT_COMMITTER_NAME", "A")
            .env("GIT_COMMITTER_EMAIL", "a@example.org")
            .env("GIT_SSH", receive_binary())
            .env("GIT_SSH_VARIANT", "ssh")
            .env("GIT_EXTERNAL_DIFF", "/bin/false")
            .env("LD_LIBRARY_PATH", "/nonexistent")
            .env("TEST_ROOT", self.server.path("repos"))
            .env("TEST_HOOKS", self.server.path("hooks"))
            .env("TEST_STATE", self.server.path("state"))
            .env("TEST_TRANSPORT", self.server.transport)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        git
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.git(arguments).output().unwrap()
    }

    /// Runs git, which must succeed, and gives all it wrote.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", text(&output));
        text(&output)
    }

    /// Runs git, which must fail, and gives all it wrote.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "git {arguments:?}: {}", text(&output));
        text(&output)
    }

    pub fn spawn(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        self.git(arguments).envs(environment.iter().copied()).spawn().unwrap()
    }

    pub fn commit(&self, file: &str, content: &str) -> String {
        fs::write(self.path.join(file), content).unwrap();
        self.ok(&["add", "-A"]);
        self.ok(&["commit", "-q", "-m", "a change"]);
        self.head()
    }

    pub fn head(&self) -> String {
        self.ok(&["rev-parse", "HEAD"]).trim().to_owned()
    }
}

pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Text that does not compress well, the same each time.
pub fn noise(length: u64) -> String {
    let digit = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17).wrapping_mul(n) >> 60;
    (0..length).filter_map(|n| char::from_digit(u32::try_from(digit(n)).unwrap(), 16)).collect()
}

/// The example `receive`, which cargo builds beside the tests.
pub fn receive_binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let binary = test.parent().and_then(Path::parent).unwrap().join("examples/receive");
    assert!(binary.exists(), "build it first: cargo build -p paas-git --example receive");
    binary
}

/// Asks again until there is an answer.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs what may block, for example on a FIFO nobody opens, within the deadline.
pub fn within<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(work()));
    told.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("waited too long for {what}"))
}
