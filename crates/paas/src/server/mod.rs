//! The server's own commands: its two processes, what sshd and git start, and the set-up.

mod certificates;
pub(crate) mod hook;
mod logging;
mod proxy;
mod serve;
mod setup;
mod ssh_session;
mod successor;

use std::{path::PathBuf, process::ExitCode};

use clap::Subcommand;

use crate::{
    config::{self, Config},
    error::CliError,
};

/// Commands that only make sense on the server.
#[derive(Debug, Subcommand)]
pub(crate) enum ServerCommand {
    /// Make the directories, the key, the database and the hooks that are missing (install.sh runs it)
    Setup,
    /// Run control: the API, deploys, certificates, the reconciler (systemd runs it)
    Serve {
        /// The ACME directory to get certificates from: a URL, `letsencrypt` or `staging`; else what `[acme]` says
        #[arg(long, value_name = "URL")]
        acme_directory: Option<String>,
    },
    /// Run the proxy: routes and streams requests (systemd runs it)
    Proxy {
        /// Take the sockets over from the proxy that started this one
        #[arg(long, hide = true)]
        take_over: bool,
    },
    /// Let the running proxy hand over to the installed version; no request is lost (systemctl reload paas-proxy runs it)
    #[command(name = "proxy:reload")]
    ProxyReload,
    /// Serve one ssh connection (sshd runs it)
    #[command(hide = true)]
    SshSession {
        /// The key that logged in
        #[arg(long)]
        key: i64,
    },
}

impl ServerCommand {
    pub(crate) fn run(self, config: Option<PathBuf>) -> Result<ExitCode, CliError> {
        let path = config.clone().unwrap_or_else(|| config::DEFAULT_PATH.into());
        let loaded = Config::load(&path).map_err(|error| CliError::of(&error))?;
        match self {
            Self::Setup => setup::run(&loaded),
            Self::Serve { acme_directory } => {
                let loaded = loaded.with_acme_directory(acme_directory);
                serve::run(loaded.map_err(|error| CliError::of(&error))?, config)
            }
            Self::Proxy { take_over } => proxy::run(&loaded, config, take_over),
            Self::ProxyReload => proxy::reload(&loaded),
            Self::SshSession { key } => ssh_session::run(&loaded, config, paas_domain::KeyId(key)),
        }
    }
}
