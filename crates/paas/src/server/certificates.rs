use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use paas_acme::{
    AcmeAuthority, Authority, DnsHook, Preflight, PreflightSettings, caa_identities_of, is_public_address,
};
use paas_certs::{Keeper, KeeperSettings, SystemClock};
use paas_proxy::ProxyClient;
use paas_store::Store;
use tokio::sync::Notify;

use crate::{config::Config, error::CliError};

/// How many orders are under way at one time: enough for a server full of names, little enough for every authority's limits.
const ORDERS_AT_ONCE: usize = 10;

/// How long a name may take to answer before an order is made.
const LOOK: Duration = Duration::from_secs(10);

/// The keeper of the server's certificates, as the configuration says.
pub(super) fn keeper(
    config: &Config,
    store: &Store,
    proxy: ProxyClient,
    bell: Arc<Notify>,
) -> Result<Arc<Keeper>, CliError> {
    let settings = config.acme.settings().map_err(CliError::refused)?;
    let authority = AcmeAuthority::new(settings).map_err(|error| CliError::of(&error))?;
    let preflight = config.acme.preflight.then(|| preflight(config, &authority)).transpose()?;
    let hook = config.acme.dns_hook.clone();
    let settings = KeeperSettings {
        domain: config.domain.clone(),
        preflight,
        dns_hook: hook.map(|program| DnsHook::new(program).with_resolver(config.acme.resolver)),
        orders_at_once: ORDERS_AT_ONCE,
    };
    Ok(Keeper::new(store.clone(), proxy, Arc::new(authority), Arc::new(SystemClock), bell, settings))
}

fn preflight(config: &Config, authority: &AcmeAuthority) -> Result<Preflight, CliError> {
    let settings = PreflightSettings {
        resolver: config.acme.resolver,
        http_port: config.acme.http_port,
        https_port: config.acme.https_port,
        timeout: LOOK,
        caa_identities: caa_identities_of(authority.directory()),
        own_addresses: own_addresses(),
        private_allowed: authority.is_private(),
    };
    Preflight::new(settings).map_err(|error| CliError::of(&error))
}

/// The public addresses this server speaks from. None behind a translating router, which alone knows them.
fn own_addresses() -> Vec<IpAddr> {
    // Connecting a datagram socket sends nothing; it makes the kernel choose the address.
    let towards = |from: &str, to: &str| -> Option<IpAddr> {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|address: SocketAddr| address.ip())
    };
    let addresses = [towards("0.0.0.0:0", "192.0.2.1:9"), towards("[::]:0", "[2001:db8::1]:9")];
    addresses.into_iter().flatten().filter(|address| is_public_address(*address)).collect()
}
