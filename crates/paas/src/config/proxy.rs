use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

/// `[proxy]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProxySection {
    /// Where to listen for HTTP when systemd does not hold the sockets.
    pub(crate) http: Vec<SocketAddr>,
    /// Kept for the TLS listener; nothing listens there yet.
    pub(crate) https: Vec<SocketAddr>,
    /// The command socket; `<run>/proxy.sock` when not given.
    pub(crate) socket: Option<PathBuf>,
}

impl Default for ProxySection {
    fn default() -> Self {
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        Self { http: vec![any(80)], https: vec![any(443)], socket: None }
    }
}

impl ProxySection {
    /// The port people see in a URL.
    pub(crate) fn public_port(&self) -> u16 {
        self.http.first().map_or(80, SocketAddr::port)
    }
}
