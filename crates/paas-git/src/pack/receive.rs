use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::environment;
use super::protocol::Protocol;
use super::push::Push;
use paas_program::Program;

/// The most bytes one push may bring, unless set otherwise: 2 GiB.
const DEFAULT_LARGEST_PUSH: u64 = 2 << 30;

/// What holds for every push. It is given on the command line, where it wins over the repository's own file, which the user that
/// parses strangers' packs could write (git-config(1)).
const SETTINGS: [&str; 16] = [
    // Objects are checked before they are kept: `.git` in a tree, a `.gitmodules` that runs a command.
    "receive.fsckObjects=true",
    // Harmless in itself, and common in histories that older tools wrote.
    "receive.fsck.zeroPaddedFilemode=ignore",
    "receive.fsck.missingSpaceBeforeDate=ignore",
    "receive.fsck.badTimezone=ignore",
    // Our hooks refuse deletes in plain words; a force push deploys like any other.
    "receive.denyDeletes=false",
    "receive.denyNonFastForwards=false",
    "receive.denyCurrentBranch=ignore",
    // A shallow clone can push when it brings all that the server lacks, or makes the repository here shallow.
    "receive.shallowUpdate=true",
    "receive.advertisePushOptions=false",
    // Nothing runs in the background after a push; packs keep their own size small (see `receive.unpackLimit`).
    "receive.autogc=false",
    "gc.auto=0",
    "maintenance.auto=false",
    // One pack for each push instead of many files: one fsync, and it moves out of quarantine by one rename.
    "receive.unpackLimit=1",
    // The branch must be on the disk when the push ends, as the database is: after a power cut both say the same.
    "core.fsync=committed,reference",
    // The repository belongs to the user that runs this, or root runs this.
    "safe.directory=*",
    "core.logAllRefUpdates=false",
];

/// `git receive-pack` on one repository: the server's side of a push.
#[derive(Debug, Clone)]
pub struct ReceivePack {
    repository: PathBuf,
    hooks: PathBuf,
    push: Push,
    config: Option<PathBuf>,
    protocol: Option<Protocol>,
    largest_push: u64,
}

impl ReceivePack {
    /// Receives into `repository`, running the hooks in the directory `hooks`.
    pub fn new(repository: impl Into<PathBuf>, hooks: impl Into<PathBuf>, push: Push) -> Self {
        Self {
            repository: repository.into(),
            hooks: hooks.into(),
            push,
            config: None,
            protocol: None,
            largest_push: DEFAULT_LARGEST_PUSH,
        }
    }

    /// Hands our configuration file's path to the hooks, as `PAAS_CONFIG`.
    #[must_use]
    pub fn config(mut self, path: Option<&Path>) -> Self {
        self.config = path.map(Path::to_owned);
        self
    }

    /// The protocol version the client asked for.
    #[must_use]
    pub fn protocol(mut self, protocol: Option<Protocol>) -> Self {
        self.protocol = protocol;
        self
    }

    /// The most bytes the push may bring; 2 GiB unless set.
    #[must_use]
    pub fn largest_push(mut self, bytes: u64) -> Self {
        self.largest_push = bytes;
        self
    }

    /// Whose push it is.
    pub fn push(&self) -> &Push {
        &self.push
    }

    /// The repository received into.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// The whole command. Nothing in it comes from the client but the app's checked name and a known protocol version.
    pub fn program(&self) -> Program {
        let mut git = environment::git(self.protocol)
            .env("PAAS_APP", self.push.app.as_str())
            .env("PAAS_PUSH", self.push.id.as_str());
        if let Some(key) = self.push.key {
            git = git.env("PAAS_KEY", key.to_string());
        }
        if let Some(config) = &self.config {
            git = git.env("PAAS_CONFIG", config);
        }
        for setting in SETTINGS {
            git = git.arg("-c").arg(setting);
        }
        let mut hooks = OsString::from("core.hooksPath=");
        hooks.push(&self.hooks);
        git.arg("-c")
            .value(hooks)
            .arg("-c")
            .value(format!("receive.maxInputSize={}", self.largest_push))
            .arg("receive-pack")
            .end_of_options()
            .value(&self.repository)
    }
}

#[cfg(test)]
mod tests {
    use paas_domain::{AppName, KeyId};

    use super::*;

    fn receive() -> ReceivePack {
        let push = Push { app: AppName::new("blog").unwrap(), id: "p-1".to_owned(), key: Some(KeyId(7)) };
        ReceivePack::new("/var/lib/paas/repos/3.git", "/usr/lib/paas/hooks", push)
    }

    #[test]
    fn the_environment_is_a_fixed_list() {
        let program =
            receive().config(Some(Path::new("/etc/paas/paas.toml"))).protocol(Some(Protocol::V2)).program();
        let names: Vec<_> = program.environment_names().collect();
        assert_eq!(
            names,
            [
                "GIT_CONFIG_GLOBAL",
                "GIT_CONFIG_NOSYSTEM",
                "GIT_PROTOCOL",
                "HOME",
                "LC_ALL",
                "PAAS_APP",
                "PAAS_CONFIG",
                "PAAS_KEY",
                "PAAS_PUSH"
            ]
        );
        assert_eq!(program.environment_value("PAAS_KEY").unwrap(), "7");
        assert_eq!(program.environment_value("GIT_PROTOCOL").unwrap(), "version=2");
    }

    #[test]
    fn the_settings_win_over_the_repository() {
        let line = receive().largest_push(1000).program().to_string();
        assert!(line.starts_with("git -c 'receive.fsckObjects=true' "), "{line}");
        for part in [
            "'core.hooksPath=/usr/lib/paas/hooks'",
            "'receive.maxInputSize=1000'",
            "'receive.advertisePushOptions=false'",
        ] {
            assert!(line.contains(part), "{line}");
        }
        assert!(line.ends_with("receive-pack -- /var/lib/paas/repos/3.git"), "{line}");
    }

    #[test]
    fn without_a_key_or_a_protocol_nothing_stands_in_their_place() {
        let mut receive = receive();
        receive.push.key = None;
        let program = receive.program();
        assert!(
            program
                .environment_names()
                .all(|name| !["PAAS_KEY", "PAAS_CONFIG", "GIT_PROTOCOL"].contains(&name))
        );
    }
}
