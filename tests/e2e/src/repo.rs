//! A git work tree with a small app in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::background::Background;
use crate::binaries::test_app;
use crate::client::Client;
use crate::command::Ran;

const DOCKERFILE: &str = "FROM scratch\nCOPY app /app\nCOPY behaviour /behaviour\nCMD [\"/app\"]\n";

/// The same app on a base that has a shell, so that a Dockerfile may `RUN`; the line `#RUN` is where the steps go.
const BUSYBOX_DOCKERFILE: &str = "FROM scratch AS base\nCOPY busybox /bin/busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-c\"]\n\
    #RUN\nCOPY app /app\nCOPY behaviour /behaviour\nCMD [\"/app\"]\n";

/// The work tree, on the branch `main`, with a remote called `deploy`.
#[derive(Debug)]
pub struct AppRepo {
    client: Client,
    directory: PathBuf,
}

impl AppRepo {
    pub(crate) fn create(client: &Client, directory: &str, app: &str) -> Self {
        let directory = client.home().join(directory);
        fs::create_dir(&directory).expect("a new work tree");
        let repo = Self { client: client.clone(), directory };
        repo.git(&["init", "--quiet", "--initial-branch=main"]).ok();
        repo.git(&["remote", "add", "deploy", &client.remote(app)]).ok();
        fs::copy(test_app(), repo.path("app")).expect("the test app can be copied");
        repo.write("Dockerfile", DOCKERFILE);
        repo.write("behaviour", "version=1\n");
        repo.commit("The first version");
        repo
    }

    /// The work tree.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Runs git in the work tree.
    pub fn git(&self, args: &[&str]) -> Ran {
        self.client.git(&self.directory, args)
    }

    /// Starts git in the work tree.
    pub fn in_background(&self, args: &[&str]) -> Background {
        self.client.git_in_background(&self.directory, args)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file of the work tree");
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("a file of the work tree");
    }

    /// Sets a switch of the app (`paas-test-app` lists them).
    pub fn set(&self, key: &str, value: &str) -> &Self {
        self.unset(key);
        let behaviour = fs::read_to_string(self.path("behaviour")).expect("the behaviour file");
        self.write("behaviour", &format!("{behaviour}{key}={value}\n"));
        self
    }

    /// Removes a switch of the app.
    pub fn unset(&self, key: &str) -> &Self {
        let behaviour = fs::read_to_string(self.path("behaviour")).expect("the behaviour file");
        let kept = behaviour.lines().filter(|line| !line.starts_with(&format!("{key}=")));
        self.write("behaviour", &kept.flat_map(|line| [line, "\n"]).collect::<String>());
        self
    }

    /// Puts the app on a base with a shell, with these steps before the app is copied in. The engine's cache knows none of them from an earlier run
    /// of the tests: a step that is taken from there prints nothing and takes no time.
    pub fn use_busybox(&self, steps: &str) {
        fs::copy("/bin/busybox", self.path("busybox")).expect("a static busybox at /bin/busybox");
        let steps = format!("ENV TEST_TREE={}\n{steps}", self.directory.display());
        self.write("Dockerfile", &BUSYBOX_DOCKERFILE.replace("#RUN", &steps));
    }

    /// Commits everything, also when nothing has changed.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]).ok();
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]).ok();
    }

    /// Pushes `main`.
    pub fn push(&self) -> Ran {
        self.git(&["push", "deploy", "main"])
    }

    /// Starts to push `main`.
    pub fn push_in_background(&self) -> Background {
        self.in_background(&["push", "deploy", "main"])
    }

    /// Commits what has changed and pushes it.
    pub fn commit_and_push(&self, message: &str) -> Ran {
        self.commit(message);
        self.push()
    }

    /// Commits a new version of the app and pushes it.
    pub fn push_version(&self, version: &str) -> Ran {
        self.set("version", version);
        self.commit_and_push(&format!("Version {version}"))
    }

    /// The commit that is checked out.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).ok().stdout.trim().to_owned()
    }

    /// Where the server's `main` stands; `None` when it has none.
    pub fn server_head(&self) -> Option<String> {
        let refs = self.git(&["ls-remote", "deploy", "refs/heads/main"]).ok().stdout;
        refs.split_whitespace().next().map(str::to_owned)
    }

    /// All refs of the server.
    pub fn server_refs(&self) -> Vec<String> {
        let refs = self.git(&["ls-remote", "deploy"]).ok().stdout;
        refs.lines().filter_map(|line| line.split_once('\t')).map(|(_, name)| name.to_owned()).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::command::{program, run};
    use crate::sshd::{Sshd, write_private};

    const HOOK: &str = "#!/bin/sh\necho '-----> Judging'\necho ' !     Never' >&2\nexit $(cat verdict)\n";

    #[test]
    fn a_push_over_the_private_sshd_shows_what_the_hook_prints() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let mut init = program("git");
        run(
            {
                init.args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(at("blog"));
                init
            },
            b"",
        )
        .ok();
        fs::write(at("blog/hooks/pre-receive"), HOOK).unwrap();
        fs::set_permissions(at("blog/hooks/pre-receive"), fs::Permissions::from_mode(0o755)).unwrap();
        let sshd = Sshd::start(directory.path(), &at("authorized_keys"));
        let client = Client::new(&at("home"), "admin", &sshd);
        let forced = format!(
            "cd {} && eval \\\"$(echo $SSH_ORIGINAL_COMMAND | tr -d /)\\\"",
            directory.path().display()
        );
        write_private(
            &at("authorized_keys"),
            &format!("restrict,command=\"{forced}\" {}", client.public_key()),
        );

        let repo = client.app_repo("blog");
        fs::write(at("blog/verdict"), "1").unwrap();
        let ran = repo.push().fails().says("pre-receive hook declined");
        assert_eq!(ran.remote_lines(), ["-----> Judging", " !     Never"], "{ran}");
        assert_eq!(repo.server_head(), None);

        fs::write(at("blog/verdict"), "0").unwrap();
        repo.set("version", "2").set("up", "500").unset("up");
        repo.commit_and_push("Version 2").ok();
        assert_eq!(repo.server_head(), Some(repo.head()));
        assert_eq!(repo.server_refs(), ["HEAD", "refs/heads/main"]);
        assert_eq!(fs::read_to_string(repo.path("behaviour")).unwrap(), "version=2\n");
    }
}
