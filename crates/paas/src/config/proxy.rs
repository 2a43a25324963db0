use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;

/// `[proxy]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProxySection {
    /// Where to listen for HTTP when systemd does not hold the sockets.
    pub(crate) http: Vec<SocketAddr>,
    /// Where to listen for HTTPS; nowhere when empty.
    pub(crate) https: Vec<SocketAddr>,
    /// Whether to offer HTTP/3 on the HTTPS addresses.
    pub(crate) http3: bool,
    /// The command socket; `<run>/proxy.sock` when not given.
    pub(crate) socket: Option<PathBuf>,
}

impl Default for ProxySection {
    fn default() -> Self {
        let any = |port| SocketAddr::from(([0, 0, 0, 0], port));
        Self { http: vec![any(80)], https: vec![any(443)], http3: false, socket: None }
    }
}

impl ProxySection {
    /// The port people see in a URL without TLS.
    pub(crate) fn public_port(&self) -> u16 {
        self.http.first().map_or(80, SocketAddr::port)
    }

    /// The port people see in a URL with TLS; `None` when nobody listens for it.
    pub(crate) fn https_port(&self) -> Option<u16> {
        self.https.first().map(SocketAddr::port)
    }
}
