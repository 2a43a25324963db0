//! The configuration file of the installation under test.

use std::path::{Path, PathBuf};

/// What a test wants different from the usual.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// A socket other than the engine's.
    pub docker_socket: Option<PathBuf>,
    /// How much disk must be free for a build.
    pub min_free: Option<String>,
    /// `FAILPOINTS` of control.
    pub failpoints: Option<String>,
}

/// The values of one installation.
#[derive(Debug)]
pub(crate) struct Config<'a> {
    pub(crate) data: &'a Path,
    pub(crate) run: &'a Path,
    pub(crate) user: &'a str,
    pub(crate) ssh_port: u16,
    pub(crate) http_port: u16,
    pub(crate) pool: &'a str,
    pub(crate) docker_socket: &'a Path,
    pub(crate) min_free: &'a str,
}

/// Under which the apps answer.
pub(crate) const DOMAIN: &str = "paas.localhost";

impl Config<'_> {
    /// The text of `paas.toml`.
    pub(crate) fn text(&self) -> String {
        format!(
            "domain = \"{DOMAIN}\"\n\
             [paths]\ndata = \"{}\"\nrun = \"{}\"\n\
             [ssh]\nuser = \"{}\"\nhost = \"127.0.0.1\"\nport = {}\n\
             [docker]\nsocket = \"{}\"\n\
             [network]\npool = \"{}\"\n\
             [proxy]\nhttp = [\"127.0.0.1:{}\"]\n\
             [build]\nmin_free = \"{}\"\n",
            self.data.display(),
            self.run.display(),
            self.user,
            self.ssh_port,
            self.docker_socket.display(),
            self.pool,
            self.http_port,
            self.min_free,
        )
    }
}
