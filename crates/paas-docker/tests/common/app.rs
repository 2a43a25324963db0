//! Small apps that are the same on both engines.

use bollard::exec::{CreateExecOptions, StartExecResults};
use futures_util::StreamExt;
use paas_docker::fake::FakeBehaviour;

/// What a container does.
#[derive(Debug, Clone, Copy)]
pub enum App {
    /// Prints `one`, `two`, `three` and runs until it is told to end.
    Runs,
    /// Does not end on SIGTERM.
    IgnoresTerm,
    /// Prints `bye` and ends with that code.
    Exits(u8),
    /// Takes memory until the kernel ends it. Needs a limit.
    Eats,
}

impl App {
    pub fn dockerfile(self) -> String {
        let command = match self {
            Self::Runs => "echo one; echo two; echo three; exec sleep 3600".to_owned(),
            Self::IgnoresTerm => "trap '' TERM; echo ready; while :; do sleep 1; done".to_owned(),
            Self::Exits(code) => format!("echo bye; exit {code}"),
            Self::Eats => "exec tail /dev/zero".to_owned(),
        };
        format!("{}CMD [\"sh\", \"-c\", \"{command}\"]\n", base())
    }

    pub fn behaviour(self) -> FakeBehaviour {
        let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
        match self {
            Self::Runs => FakeBehaviour::Runs { log: lines(&["one", "two", "three"]) },
            Self::IgnoresTerm => FakeBehaviour::IgnoresTerm { log: lines(&["ready"]) },
            Self::Exits(code) => FakeBehaviour::exits(code.into(), "bye"),
            Self::Eats => FakeBehaviour::Exits { code: 137, out_of_memory: true, log: Vec::new() },
        }
    }
}

/// A Dockerfile's beginning: a small Linux out of one static binary.
pub fn base() -> &'static str {
    "FROM scratch\nCOPY busybox /bin/busybox\nRUN [\"/bin/busybox\", \"--install\", \"/bin\"]\n"
}

/// Kills everything but the init process, from inside. (The engine's own `kill` counts as a stop, not as a crash.)
pub async fn kill_inside(name: &str) {
    run_inside(name, "kill -9 -1").await;
}

/// Runs a shell command in a container and returns what it prints.
pub async fn run_inside(name: &str, command: &str) -> String {
    let docker = super::docker();
    let options = CreateExecOptions {
        cmd: Some(vec!["/bin/sh", "-c", command]),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..Default::default()
    };
    let exec = docker.create_exec(name, options).await.unwrap();
    let mut text = String::new();
    if let StartExecResults::Attached { mut output, .. } = docker.start_exec(&exec.id, None).await.unwrap() {
        while let Some(Ok(chunk)) = output.next().await {
            text.push_str(&chunk.to_string());
        }
    }
    text
}
