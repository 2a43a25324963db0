use std::time::Duration;

use paas_acme::{
    AcmeAuthority, AcmeError, AcmeSettings, Authority, CertificateFacts, ChallengeKind, Patience, Solver,
    generate_key,
};
use paas_acme_testkit::{Pebble, Shim};
use paas_domain::{Hostname, Secret};

/// Shorter than people would wait, longer than a busy machine takes.
pub(crate) const PATIENCE: Patience = Patience {
    request: Duration::from_secs(10),
    whole: Duration::from_secs(30),
    first_poll: Duration::from_millis(50),
};

pub(crate) const HTTP: &[ChallengeKind] = &[ChallengeKind::Http01];

pub(crate) fn host(name: &str) -> Hostname {
    Hostname::new(name).unwrap()
}

pub(crate) fn authority(settings: AcmeSettings) -> AcmeAuthority {
    AcmeAuthority::with_patience(settings, PATIENCE).unwrap()
}

/// An authority with an account of ours and the key of one certificate.
pub(crate) struct Customer {
    pub(crate) authority: AcmeAuthority,
    pub(crate) account: Secret,
    pub(crate) key: Secret,
}

impl Customer {
    pub(crate) async fn of(settings: AcmeSettings) -> Self {
        let authority = authority(settings);
        let account = authority.register().await.unwrap();
        Self { authority, account, key: generate_key().unwrap() }
    }

    pub(crate) async fn order(&self, name: &str) -> Result<String, AcmeError> {
        self.authority.new_order(&self.account, &host(name), None).await
    }

    pub(crate) async fn complete(
        &self,
        order: &str,
        name: &str,
        kinds: &[ChallengeKind],
        solver: &dyn Solver,
    ) -> Result<String, AcmeError> {
        self.authority.complete(&self.account, order, &host(name), &self.key, kinds, solver).await
    }

    /// An order from its beginning to its end.
    pub(crate) async fn obtain(
        &self,
        name: &str,
        kinds: &[ChallengeKind],
        solver: &dyn Solver,
    ) -> Result<CertificateFacts, AcmeError> {
        let order = self.order(name).await?;
        let chain = self.complete(&order, name, kinds, solver).await?;
        Ok(CertificateFacts::read(&chain).unwrap())
    }
}

/// A Pebble where `www.example.org` leads to the responder, with a customer.
pub(crate) async fn with_pebble() -> Option<(Pebble, Customer)> {
    let pebble = Pebble::start().await?;
    pebble.dns.point("www.example.org", pebble.address());
    let customer = Customer::of(pebble.settings()).await;
    Some((pebble, customer))
}

/// The same behind a shim.
pub(crate) async fn with_shim() -> Option<(Pebble, Shim, Customer)> {
    let pebble = Pebble::start().await?;
    pebble.dns.point("www.example.org", pebble.address());
    let shim = Shim::start(&pebble).await;
    let customer = Customer::of(shim.settings()).await;
    Some((pebble, shim, customer))
}
