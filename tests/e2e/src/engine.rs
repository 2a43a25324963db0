//! The container engine as the test sees it: through the `docker` command line, so that no code of paas is trusted.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::background::Background;
use crate::command::{Ran, program, run};
use crate::engine_watch::EngineWatch;

/// The label that names the installation a thing belongs to.
const INSTANCE_LABEL: &str = "dev.paas.instance";

/// The engine behind a socket.
#[derive(Debug, Clone)]
pub struct Engine {
    socket: PathBuf,
}

impl Default for Engine {
    fn default() -> Self {
        Self { socket: PathBuf::from("/var/run/docker.sock") }
    }
}

impl Engine {
    /// Where the engine listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Runs the `docker` command line.
    pub fn docker(&self, args: &[&str]) -> Ran {
        run(self.command(args), b"")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program("docker");
        command.env("DOCKER_HOST", format!("unix://{}", self.socket.display())).args(args);
        command
    }

    /// Fails with what to do when no engine answers.
    pub fn require(&self) {
        let ran = self.docker(&["version", "--format", "{{.Server.Version}}"]);
        assert!(
            ran.code == Some(0),
            "these tests need a Docker engine on {}; `tests/run` starts one.\n{ran}",
            self.socket.display()
        );
    }

    /// The subnets of all networks.
    pub(crate) fn subnets(&self) -> Vec<String> {
        let ids = self.lines(&["network", "ls", "--quiet", "--no-trunc"]);
        let format = "{{range .IPAM.Config}}{{.Subnet}}\n{{end}}";
        let mut args = vec!["network", "inspect", "--format", format];
        args.extend(ids.iter().map(String::as_str));
        // A network that another test has removed meanwhile makes the command fail; the others are still printed.
        lines(&self.docker(&args).stdout)
    }

    /// The names of an instance's containers, the stopped ones too.
    pub fn containers(&self, instance: &str) -> Vec<String> {
        self.lines(&["ps", "--all", "--filter", &label(instance), "--format", "{{.Names}}"])
    }

    /// The names of an instance's running containers.
    pub fn running(&self, instance: &str) -> Vec<String> {
        self.lines(&["ps", "--filter", &label(instance), "--format", "{{.Names}}"])
    }

    /// One label of each of an instance's containers.
    pub fn container_labels(&self, instance: &str, key: &str) -> Vec<(String, String)> {
        let format = format!("{{{{.Names}}}} {{{{.Label \"{key}\"}}}}");
        let lines = self.lines(&["ps", "--all", "--filter", &label(instance), "--format", &format]);
        lines
            .iter()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The names of an instance's networks.
    pub fn networks(&self, instance: &str) -> Vec<String> {
        self.lines(&["network", "ls", "--filter", &label(instance), "--format", "{{.Name}}"])
    }

    /// The names of an instance's volumes.
    pub fn volumes(&self, instance: &str) -> Vec<String> {
        self.lines(&["volume", "ls", "--filter", &label(instance), "--format", "{{.Name}}"])
    }

    /// The ids of an instance's images.
    pub fn images(&self, instance: &str) -> Vec<String> {
        let mut ids = self.lines(&["images", "--quiet", "--no-trunc", "--filter", &label(instance)]);
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Follows which of an instance's containers run, from now on.
    pub fn watch(&self, instance: &str) -> EngineWatch {
        EngineWatch::start(self, &label(instance))
    }

    /// Starts the `docker` command line.
    pub(crate) fn docker_in_background(&self, args: &[&str]) -> Background {
        Background::spawn(self.command(args), b"")
    }

    /// Everything that `docker inspect` knows about a thing, as text.
    pub fn inspect(&self, name: &str) -> String {
        self.docker(&["inspect", name]).ok().stdout
    }

    /// Removes everything that bears an instance's label.
    pub fn remove_all_of(&self, instance: &str) {
        let label = label(instance);
        let kinds: [(&[&str], &[&str]); 4] = [
            (&["ps", "--all"], &["rm", "--force", "--volumes"]),
            (&["network", "ls"], &["network", "rm"]),
            (&["volume", "ls"], &["volume", "rm", "--force"]),
            (&["images", "--no-trunc"], &["rmi", "--force"]),
        ];
        for (list, remove) in kinds {
            let list: Vec<_> = list.iter().copied().chain(["--quiet", "--filter", &label]).collect();
            // Also called while a failed test unwinds, so nothing here may panic.
            let mut names = lines(&self.docker(&list).stdout);
            names.sort_unstable();
            names.dedup();
            self.remove(remove, &names);
        }
    }

    fn remove(&self, verb: &[&str], names: &[String]) {
        if names.is_empty() {
            return;
        }
        let args: Vec<_> = verb.iter().copied().chain(names.iter().map(String::as_str)).collect();
        let ran = self.docker(&args);
        if ran.code != Some(0) {
            eprintln!("cleaning up: {ran}");
        }
    }

    pub(crate) fn lines(&self, args: &[&str]) -> Vec<String> {
        lines(&self.docker(args).ok().stdout)
    }
}

fn label(instance: &str) -> String {
    format!("label={INSTANCE_LABEL}={instance}")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
