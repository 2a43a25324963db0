//! `/etc/paas/paas.toml`: one file per section.

mod acme;
mod build;
mod docker;
mod metrics;
mod network;
mod paths;
mod proxy;
mod ssh;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use thiserror::Error;

pub(crate) use self::{
    acme::AcmeSection, build::BuildSection, docker::DockerSection, metrics::MetricsSection,
    network::NetworkSection, paths::PathsSection, proxy::ProxySection, ssh::SshSection,
};

/// Where the file is unless `--config` or `PAAS_CONFIG` says otherwise.
pub(crate) const DEFAULT_PATH: &str = "/etc/paas/paas.toml";

/// What the administrator decided for this server. Every part has a default but the domain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Apps answer at `<app>.<domain>`.
    pub(crate) domain: String,
    #[serde(default)]
    pub(crate) paths: PathsSection,
    #[serde(default)]
    pub(crate) ssh: SshSection,
    #[serde(default)]
    pub(crate) docker: DockerSection,
    #[serde(default)]
    pub(crate) network: NetworkSection,
    #[serde(default)]
    pub(crate) proxy: ProxySection,
    #[serde(default)]
    pub(crate) build: BuildSection,
    #[serde(default)]
    pub(crate) acme: AcmeSection,
    #[serde(default)]
    pub(crate) metrics: MetricsSection,
}

/// Why the configuration cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// Not there or not readable.
    #[error("the configuration {} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Not what it should be.
    #[error("the configuration {} is not valid:\n{message}", path.display())]
    Parse { path: PathBuf, message: String },
}

impl Config {
    /// Reads and checks the file.
    pub(crate) fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| ConfigError::Parse { path: path.to_owned(), message: error.to_string() })?;
        config.check().map_err(|message| ConfigError::Parse { path: path.to_owned(), message })?;
        Ok(config)
    }

    /// The same with another ACME directory, when one is given.
    pub(crate) fn with_acme_directory(mut self, directory: Option<String>) -> Result<Self, ConfigError> {
        if let Some(directory) = directory {
            self.acme.directory = directory;
            self.acme
                .check()
                .map_err(|message| ConfigError::Parse { path: "--acme-directory".into(), message })?;
        }
        Ok(self)
    }

    fn check(&self) -> Result<(), String> {
        paas_domain::Hostname::new(&format!("app.{}", self.domain))
            .map_err(|error| format!("`domain`: {error}"))?;
        if self.proxy.http.is_empty() {
            return Err("`proxy.http` names no address to listen on".to_owned());
        }
        self.acme.check()
    }

    /// The API's socket.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.paths.run.join("paas.sock")
    }

    /// The proxy's command socket.
    pub(crate) fn proxy_socket(&self) -> PathBuf {
        self.proxy.socket.clone().unwrap_or_else(|| self.paths.run.join("proxy.sock"))
    }

    /// Where the proxy keeps its table.
    pub(crate) fn proxy_table(&self) -> PathBuf {
        self.paths.data.join("proxy/table.json")
    }

    /// Where the proxy keeps certificates and their keys.
    pub(crate) fn proxy_certificates(&self) -> PathBuf {
        self.paths.data.join("proxy/certificates")
    }

    /// Where the proxy keeps access logs.
    pub(crate) fn access_logs(&self) -> PathBuf {
        self.paths.data.join("proxy/access")
    }

    /// The host people type after `paas@`.
    pub(crate) fn ssh_host(&self) -> &str {
        self.ssh.host.as_deref().unwrap_or(&self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_file_is_a_domain() {
        let config: Config = toml::from_str("domain = \"example.org\"").unwrap();
        assert_eq!(config.control_socket(), Path::new("/run/paas/paas.sock"));
        assert_eq!(config.proxy_socket(), Path::new("/run/paas/proxy.sock"));
        assert_eq!(config.metrics.listen, None);
        assert_eq!(config.build.min_free, 2 << 30);
        config.check().unwrap();
    }

    #[test]
    fn an_unknown_name_is_refused() {
        let error = toml::from_str::<Config>("domain = \"example.org\"\n[build]\nminfree = 1").unwrap_err();
        assert!(error.to_string().contains("min_free"), "{error}");
    }
}
