use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How a preflight looks.
#[derive(Debug, Clone)]
pub struct PreflightSettings {
    /// The DNS resolver to ask; none for the system's.
    pub resolver: Option<SocketAddr>,
    /// Where authorities ask over HTTP.
    pub http_port: u16,
    /// Where authorities ask over TLS.
    pub https_port: u16,
    /// For one question to the DNS, and for one connection with its answer.
    pub timeout: Duration,
    /// The authority's names in CAA records. Empty for an authority whose names are not known: then only a record that forbids all is seen.
    pub caa_identities: Vec<String>,
    /// This server's public addresses, to advise and to tell other servers from other programs. May be empty.
    pub own_addresses: Vec<IpAddr>,
    /// Whether the authority may sit in a private network, so that names may point there.
    pub private_allowed: bool,
}

impl Default for PreflightSettings {
    fn default() -> Self {
        Self {
            resolver: None,
            http_port: 80,
            https_port: 443,
            timeout: Duration::from_secs(10),
            caa_identities: Vec::new(),
            own_addresses: Vec::new(),
            private_allowed: false,
        }
    }
}

impl PreflightSettings {
    /// What a record of this address's family should say.
    pub(crate) fn advice(&self, instead_of: IpAddr) -> String {
        let own = self.own_addresses.iter().find(|own| own.is_ipv4() == instead_of.is_ipv4());
        own.map_or_else(|| "this server's address".to_owned(), ToString::to_string)
    }

    /// What a new record should say.
    pub(crate) fn any_advice(&self) -> String {
        let own = self.own_addresses.iter().find(|own| own.is_ipv4()).or_else(|| self.own_addresses.first());
        own.map_or_else(|| "this server's address".to_owned(), ToString::to_string)
    }
}
