use paas_acme::{DnsHook, LETS_ENCRYPT_STAGING, Preflight};

/// What the keeper of one server needs to know about it.
pub struct KeeperSettings {
    /// Every app answers at `<app>.<domain>`; the domain itself has a certificate too.
    pub domain: String,
    /// Asks before an order whether the authority could check the name; `None` orders without asking.
    pub preflight: Option<Preflight>,
    /// The program that sets DNS records, for wildcard names.
    pub dns_hook: Option<DnsHook>,
    /// How many orders are under way at one time.
    pub orders_at_once: usize,
}

/// Whether visitors' browsers trust what this directory signs. A directory of trials signs for nobody.
pub(crate) fn is_trusted(directory: &str) -> bool {
    directory != LETS_ENCRYPT_STAGING
}
