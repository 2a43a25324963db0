//! The configuration file of the installation under test.

use std::net::SocketAddr;
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
    /// A domain other than the usual one.
    pub domain: Option<String>,
    /// Whether the server has a binary for itself, which can be replaced.
    pub own_binary: bool,
    /// An ACME authority instead of the one that no test may ask.
    pub acme: Option<AcmeOptions>,
    /// The port at which metrics are answered.
    pub metrics_port: Option<u16>,
}

/// `[acme]` of the configuration.
#[derive(Debug, Clone)]
pub struct AcmeOptions {
    /// The directory's URL.
    pub directory: String,
    /// The root of the directory's own certificate, PEM.
    pub root: PathBuf,
    /// The DNS server that knows the names.
    pub resolver: SocketAddr,
    /// The ports at which the authority comes to us: the proxy listens there.
    pub http_port: u16,
    /// The same for TLS.
    pub https_port: u16,
}

/// The values of one installation.
#[derive(Debug)]
pub(crate) struct Config<'a> {
    pub(crate) data: &'a Path,
    pub(crate) run: &'a Path,
    pub(crate) user: &'a str,
    pub(crate) ssh_port: u16,
    pub(crate) domain: &'a str,
    pub(crate) ports: [u16; 2],
    pub(crate) acme: Option<&'a AcmeOptions>,
    pub(crate) pool: &'a str,
    pub(crate) docker_socket: &'a Path,
    pub(crate) min_free: &'a str,
    pub(crate) metrics_port: Option<u16>,
}

/// Under which the apps answer.
pub(crate) const DOMAIN: &str = "paas.localhost";

impl AcmeOptions {
    fn text(&self) -> String {
        let Self { directory, root, resolver, http_port, https_port } = self;
        format!(
            "[acme]\ndirectory = \"{directory}\"\nroot = \"{}\"\nresolver = \"{resolver}\"\n\
             http_port = {http_port}\nhttps_port = {https_port}\n",
            root.display(),
        )
    }
}

impl Config<'_> {
    /// The text of `paas.toml`.
    pub(crate) fn text(&self) -> String {
        let metrics = self.metrics_port.map(|port| format!("[metrics]\nlisten = \"127.0.0.1:{port}\"\n"));
        format!(
            "domain = \"{}\"\n\
             [paths]\ndata = \"{}\"\nrun = \"{}\"\n\
             [ssh]\nuser = \"{}\"\nhost = \"127.0.0.1\"\nport = {}\n\
             [docker]\nsocket = \"{}\"\n\
             [network]\npool = \"{}\"\n\
             [proxy]\nhttp = [\"127.0.0.1:{}\"]\nhttps = [\"127.0.0.1:{}\"]\n\
             [build]\nmin_free = \"{}\"\n{}{}",
            self.domain,
            self.data.display(),
            self.run.display(),
            self.user,
            self.ssh_port,
            self.docker_socket.display(),
            self.pool,
            self.ports[0],
            self.ports[1],
            self.min_free,
            self.acme.map(AcmeOptions::text).unwrap_or_default(),
            metrics.unwrap_or_default(),
        )
    }
}
