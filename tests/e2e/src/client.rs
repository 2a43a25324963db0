//! The laptop: a home directory, a key, the real `git` and the real `ssh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::background::Background;
use crate::binaries::paas_binary;
use crate::command::{Ran, program, run};
use crate::repo::AppRepo;
use crate::sshd::{Sshd, make_key};

/// Someone with a key of their own.
#[derive(Debug, Clone)]
pub struct Client {
    home: PathBuf,
    port: u16,
}

impl Client {
    /// Makes the home and the key; nobody knows the key yet.
    pub(crate) fn new(home: &Path, name: &str, sshd: &Sshd) -> Self {
        fs::create_dir_all(home.join(".ssh")).expect("a home directory");
        make_key(&home.join(".ssh/id_ed25519"), name);
        fs::write(home.join(".ssh/known_hosts"), &sshd.known_host).expect("a known_hosts file");
        let gitconfig = format!(
            "[user]\nname = {name}\nemail = {name}@example.org\n[init]\ndefaultBranch = main\n[advice]\ndetachedHead = false\n\
             [protocol \"file\"]\nallow = always\n"
        );
        fs::write(home.join(".gitconfig"), gitconfig).expect("a git configuration");
        Self { home: home.to_path_buf(), port: sshd.port }
    }

    /// The line that is given to `ssh-keys:add`.
    pub fn public_key(&self) -> String {
        fs::read_to_string(self.home.join(".ssh/id_ed25519.pub")).expect("a public key")
    }

    /// Where the client keeps its things.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The URL of an app's repository.
    pub fn remote(&self, app: &str) -> String {
        format!("ssh://root@127.0.0.1:{}/{app}", self.port)
    }

    /// A work tree with a small app, version 1, whose remote `deploy` is the app of this name.
    pub fn app_repo(&self, app: &str) -> AppRepo {
        AppRepo::create(self, app, app)
    }

    /// The same in a directory of another name, for a second work tree of one app.
    pub fn app_repo_in(&self, directory: &str, app: &str) -> AppRepo {
        AppRepo::create(self, directory, app)
    }

    /// Runs the paas binary in a directory of this laptop, which has no server's configuration. Its `ssh` is the laptop's.
    pub fn paas(&self, directory: &Path, args: &[&str]) -> Ran {
        let programs = self.home.join("bin");
        fs::create_dir_all(&programs).expect("a directory");
        // What a person has in ~/.ssh/config; ssh looks for that below the home of the user id, whatever HOME says.
        let script = format!("#!/bin/sh\nexec /usr/bin/ssh {} \"$@\"\n", self.ssh_options().join(" "));
        fs::write(programs.join("ssh"), script).expect("a script");
        fs::set_permissions(programs.join("ssh"), fs::Permissions::from_mode(0o755)).expect("a script");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let mut paas = program(paas_binary());
        paas.current_dir(directory).args(args).env("HOME", &self.home).env("PATH", path);
        paas.env("PAAS_CONFIG", self.home.join("no-such.toml"));
        run(paas, b"")
    }

    /// Where ssh finds the server: `user@host:port`.
    pub fn host(&self) -> String {
        format!("root@127.0.0.1:{}", self.port)
    }

    /// Runs git in a directory.
    pub fn git(&self, directory: &Path, args: &[&str]) -> Ran {
        run(self.git_command(directory, args), b"")
    }

    /// Starts git in a directory.
    pub fn git_in_background(&self, directory: &Path, args: &[&str]) -> Background {
        Background::spawn(self.git_command(directory, args), b"")
    }

    /// Runs a command over ssh; each argument arrives as it is.
    pub fn ssh(&self, args: &[&str]) -> Ran {
        self.ssh_with_input(args, b"")
    }

    /// Runs a command over ssh with a standard input.
    pub fn ssh_with_input(&self, args: &[&str], input: &[u8]) -> Ran {
        self.ssh_line(&quote_all(args), input)
    }

    /// Runs this very command line over ssh.
    pub fn ssh_line(&self, line: &str, input: &[u8]) -> Ran {
        run(self.ssh_command(&[], line), input)
    }

    /// Runs a command over ssh with a terminal.
    pub fn ssh_on_terminal(&self, args: &[&str], input: &[u8]) -> Ran {
        run(self.ssh_command(&["-tt"], &quote_all(args)), input)
    }

    /// Starts a command over ssh.
    pub fn ssh_in_background(&self, args: &[&str]) -> Background {
        Background::spawn(self.ssh_command(&[], &quote_all(args)), b"")
    }

    /// Runs ssh with options of its own and a command line.
    pub fn ssh_with_options(&self, options: &[&str], line: &str) -> Ran {
        run(self.ssh_command(options, line), b"")
    }

    fn git_command(&self, directory: &Path, args: &[&str]) -> Command {
        let mut git = program("git");
        git.current_dir(directory).args(args).env("HOME", &self.home);
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
        git.env("GIT_SSH_COMMAND", format!("ssh {}", self.ssh_options().join(" ")));
        git
    }

    fn ssh_command(&self, options: &[&str], line: &str) -> Command {
        let mut ssh = program("ssh");
        ssh.env("HOME", &self.home).args(self.ssh_options()).args(options);
        ssh.args(["-p", &self.port.to_string(), "root@127.0.0.1", "--", line]);
        ssh
    }

    fn ssh_options(&self) -> Vec<String> {
        let of_ssh = |name: &str| self.home.join(".ssh").join(name).display().to_string();
        let known_hosts = format!("UserKnownHostsFile={}", of_ssh("known_hosts"));
        let key = of_ssh("id_ed25519");
        ["-F", "/dev/null", "-i", &key, "-o", &known_hosts, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Quotes for the far side, which splits the line the way a shell does.
fn quote_all(args: &[&str]) -> String {
    let quoted: Vec<_> = args.iter().map(|arg| format!("'{}'", arg.replace('\'', r"'\''"))).collect();
    quoted.join(" ")
}
