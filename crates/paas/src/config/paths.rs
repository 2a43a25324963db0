use std::path::PathBuf;

use serde::Deserialize;

/// `[paths]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PathsSection {
    /// The database, the key, the repositories.
    pub(crate) data: PathBuf,
    /// The sockets.
    pub(crate) run: PathBuf,
}

impl Default for PathsSection {
    fn default() -> Self {
        Self { data: "/var/lib/paas".into(), run: "/run/paas".into() }
    }
}

impl PathsSection {
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("paas.db")
    }

    pub(crate) fn secret_key(&self) -> PathBuf {
        self.data.join("secret.key")
    }

    pub(crate) fn repositories(&self) -> PathBuf {
        self.data.join("repos")
    }

    pub(crate) fn hooks(&self) -> PathBuf {
        self.data.join("hooks")
    }

    pub(crate) fn authorized_keys(&self) -> PathBuf {
        self.data.join("ssh/authorized_keys")
    }
}
