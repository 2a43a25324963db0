//! Would an authority find this server under a name? Asked before there is an order, because authorities count failures.

mod caa;
mod cdn;
mod http_probe;
mod obstacle;
mod settings;
mod tls_probe;
mod verdict;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use paas_domain::Hostname;
use tokio::task::JoinSet;

pub use obstacle::Obstacle;
pub use settings::PreflightSettings;

use self::{http_probe::HttpProbe, tls_probe::TlsProbe, verdict::Finding};
use crate::{
    Challenge, ChallengeKind, Proof, ResolverError, SolveError, Solver, dns::Dns, is_public_address,
    presented::Presented,
};

/// Looks at a name the way an authority does: its records, every address, and whether what we present is what comes back.
///
/// It looks from this server: a firewall that treats the outside differently is not seen, and a network that cannot reach its own public
/// address from inside looks closed.
pub struct Preflight {
    settings: PreflightSettings,
    dns: Dns,
}

/// One proof to present for a look, with the probes that look for it.
struct Probes {
    http: Arc<HttpProbe>,
    tls: Arc<TlsProbe>,
    challenges: [Challenge; 2],
}

/// For a whole check: a name whose servers are slow must not hold up the others.
const LONGEST: Duration = Duration::from_secs(40);

/// At how many addresses of a name is looked: no name needs more, and each is two connections from here.
const MOST_ADDRESSES: usize = 8;

impl Preflight {
    /// Sets the resolver up; no question is asked.
    pub fn new(settings: PreflightSettings) -> Result<Self, ResolverError> {
        let dns = Dns::new(settings.resolver, settings.timeout)?;
        Ok(Self { settings, dns })
    }

    /// The ways by which an authority would find this server, the best first; never empty. For a wildcard only CAA records are looked at.
    ///
    /// Ends within [`LONGEST`], whatever name servers and addresses do.
    pub async fn check(&self, host: &Hostname, solver: &dyn Solver) -> Result<Vec<ChallengeKind>, Obstacle> {
        let looked = tokio::time::timeout(LONGEST, self.look_at_all(host, solver)).await;
        looked.unwrap_or_else(|_| Err(Obstacle::DnsSilent { host: host.clone() }))
    }

    async fn look_at_all(
        &self,
        host: &Hostname,
        solver: &dyn Solver,
    ) -> Result<Vec<ChallengeKind>, Obstacle> {
        if host.is_wildcard() {
            let allowed = caa::check(&self.dns, host, &self.settings.caa_identities).await?;
            return allowed.narrow(vec![ChallengeKind::Dns01]);
        }
        let addresses = self.addresses(host).await?;
        let allowed = caa::check(&self.dns, host, &self.settings.caa_identities).await?;
        let findings = self.look(host, &addresses, solver).await?;
        allowed.narrow(verdict::of(host, &self.settings, &findings)?)
    }

    async fn addresses(&self, host: &Hostname) -> Result<Vec<IpAddr>, Obstacle> {
        let addresses = self.dns.addresses(host.as_str()).await;
        let mut addresses = addresses.map_err(|why| obstacle::of_lookup(host, why, &self.settings))?;
        addresses.truncate(MOST_ADDRESSES);
        let private = addresses.iter().find(|address| !is_public_address(**address));
        match private {
            Some(address) if !self.settings.private_allowed => Err(Obstacle::PrivateAddress {
                host: host.clone(),
                address: *address,
                advice: self.settings.advice(*address),
            }),
            _ => Ok(addresses),
        }
    }

    async fn look(
        &self,
        host: &Hostname,
        addresses: &[IpAddr],
        solver: &dyn Solver,
    ) -> Result<Vec<Finding>, Obstacle> {
        let probes = self.probes(host);
        let mut presented = Presented::new(solver);
        let shown = show_all(&mut presented, &probes.challenges).await;
        let findings = match shown {
            Ok(()) => Ok(probe_all(&probes, addresses).await),
            Err(error) => {
                let (why, source) = error.into_parts();
                Err(Obstacle::Solver { host: host.clone(), why, source })
            }
        };
        presented.remove_all().await;
        findings
    }

    fn probes(&self, host: &Hostname) -> Probes {
        let token = random_text();
        let key_authorization = format!("{token}.{}", random_text());
        let digest: [u8; 32] = rand::random();
        let (timeout, name) = (self.settings.timeout, host.as_str().to_owned());
        let proofs = [
            Proof::Http01 { token: token.clone(), key_authorization: key_authorization.clone() },
            Proof::TlsAlpn01 { digest },
        ];
        Probes {
            http: Arc::new(HttpProbe {
                host: name.clone(),
                port: self.settings.http_port,
                token,
                expected: key_authorization,
                timeout,
            }),
            tls: Arc::new(TlsProbe { host: name, port: self.settings.https_port, expected: digest, timeout }),
            challenges: proofs.map(|proof| Challenge { host: host.clone(), proof }),
        }
    }
}

async fn show_all(presented: &mut Presented<'_>, challenges: &[Challenge]) -> Result<(), SolveError> {
    for challenge in challenges {
        presented.show(challenge.clone()).await?;
    }
    Ok(())
}

/// Looks at all addresses at a time; the findings come in the addresses' order.
async fn probe_all(probes: &Probes, addresses: &[IpAddr]) -> Vec<Finding> {
    let mut looks = JoinSet::new();
    for (index, address) in addresses.iter().copied().enumerate() {
        let (http, tls) = (Arc::clone(&probes.http), Arc::clone(&probes.tls));
        looks.spawn(async move {
            let (answer, by_tls) = tokio::join!(http.look(address), tls.look(address));
            (index, Finding { address, answer, by_tls })
        });
    }
    let mut findings = looks.join_all().await;
    findings.sort_by_key(|(index, _)| *index);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// 256 random bits, as authorities make their tokens (RFC 8555 §8.1).
fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
