use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use paas_acme::{
    AcmeError, AcmeErrorKind, Authority, Challenge, ChallengeKind, Proof, RenewalWindow, Solver,
};
use paas_certs::Clock;
use paas_domain::{Hostname, Secret};
use rcgen::{CertificateParams, CertifiedIssuer, DnType, KeyPair};
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::FakeClock;

/// Something the authority was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    Register,
    NewOrder { host: String, replaces: bool },
    Complete { host: String },
    RenewalWindow,
}

/// An authority with state: it keeps accounts and orders, signs with a root of its own, and fails as it is told. Clones are the same one,
/// so it outlives a keeper.
#[derive(Clone)]
pub struct FakeAuthority(Arc<Shared>);

struct Shared {
    /// Its own clock, which need not be the server's.
    clock: FakeClock,
    root: CertifiedIssuer<'static, KeyPair>,
    state: Mutex<State>,
    release: Notify,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    orders: HashMap<String, String>,
    issued: HashMap<String, String>,
    lifetime: Duration,
    /// The window, and the chains it is about.
    ari: Option<(OffsetDateTime, OffsetDateTime, Vec<String>)>,
    failure: Option<(AcmeErrorKind, Option<Duration>)>,
    hold: Option<fn(&Call) -> bool>,
    private: bool,
}

impl FakeAuthority {
    pub fn new(clock: &FakeClock, lifetime: Duration) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Fake Authority");
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let state = State { lifetime, ..State::default() };
        Self(Arc::new(Shared {
            clock: clock.clone(),
            root,
            state: Mutex::new(state),
            release: Notify::new(),
        }))
    }

    /// Every call fails like that until it is told `None`.
    pub fn fail(&self, failure: Option<(AcmeErrorKind, Option<Duration>)>) {
        self.state().failure = failure;
    }

    /// From now on it wants what it has signed so far renewed in that time, and says nothing of what it will sign.
    pub fn advise(&self, start: OffsetDateTime, end: OffsetDateTime) {
        let mut state = self.state();
        state.ari = Some((start, end, state.issued.values().cloned().collect()));
    }

    /// Calls like these do not return until [`release`](Self::release).
    pub fn hold(&self, which: fn(&Call) -> bool) {
        self.state().hold = Some(which);
    }

    pub fn release(&self) {
        self.state().hold = None;
        self.0.release.notify_waiters();
    }

    /// It may sign names that no public authority would.
    pub fn make_private(&self) {
        self.state().private = true;
    }

    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    pub fn orders(&self) -> usize {
        self.calls().iter().filter(|call| matches!(call, Call::NewOrder { .. })).count()
    }

    async fn called(&self, call: Call) -> Result<(), AcmeError> {
        let held = {
            let mut state = self.state();
            state.calls.push(call.clone());
            state.hold.is_some_and(|hold| hold(&call))
        };
        if held {
            let released = self.0.release.notified();
            tokio::pin!(released);
            // Registered before the look, so that no release is missed.
            released.as_mut().enable();
            if self.state().hold.is_some() {
                released.await;
            }
        }
        match self.state().failure {
            Some((kind, retry_after)) => {
                Err(AcmeError::new(kind, "the fake authority was told to fail").after(retry_after))
            }
            None => Ok(()),
        }
    }

    fn sign(&self, host: &Hostname, key: &Secret) -> String {
        let mut params = CertificateParams::new(vec![host.to_string()]).unwrap();
        params.not_before = self.0.clock.now();
        params.not_after = self.0.clock.now() + self.state().lifetime;
        let key = KeyPair::from_pem(key.expose()).unwrap();
        params.signed_by(&key, &self.0.root).unwrap().pem()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }
}

#[async_trait]
impl Authority for FakeAuthority {
    fn directory(&self) -> &'static str {
        "https://authority.example/directory"
    }

    fn is_private(&self) -> bool {
        self.state().private
    }

    async fn register(&self) -> Result<Secret, AcmeError> {
        self.called(Call::Register).await?;
        Ok(Secret::new("account"))
    }

    async fn new_order(
        &self,
        _: &Secret,
        host: &Hostname,
        replaces: Option<&str>,
    ) -> Result<String, AcmeError> {
        self.called(Call::NewOrder { host: host.to_string(), replaces: replaces.is_some() }).await?;
        let mut state = self.state();
        let url = format!("https://authority.example/order/{}", state.orders.len());
        state.orders.insert(url.clone(), host.to_string());
        Ok(url)
    }

    async fn complete(
        &self,
        _: &Secret,
        order: &str,
        host: &Hostname,
        key: &Secret,
        _: &[ChallengeKind],
        solver: &dyn Solver,
    ) -> Result<String, AcmeError> {
        let challenge = Challenge {
            host: host.clone(),
            proof: Proof::Http01 { token: "token".into(), key_authorization: "token.print".into() },
        };
        if !host.is_wildcard() {
            solver.present(&challenge).await.unwrap();
        }
        let called = self.called(Call::Complete { host: host.to_string() }).await;
        solver.remove(&challenge).await;
        called?;
        if self.state().orders.get(order).is_none_or(|ordered| ordered != host.as_str()) {
            return Err(AcmeError::new(AcmeErrorKind::OrderGone, "there is no such order"));
        }
        // The same order gives the same certificate, as often as it is asked.
        if let Some(issued) = self.state().issued.get(order) {
            return Ok(issued.clone());
        }
        let chain = self.sign(host, key);
        self.state().issued.insert(order.to_owned(), chain.clone());
        Ok(chain)
    }

    async fn renewal_window(&self, _: &Secret, chain: &str) -> Result<Option<RenewalWindow>, AcmeError> {
        self.called(Call::RenewalWindow).await?;
        let state = self.state();
        let about_it = state.ari.as_ref().filter(|(_, _, chains)| chains.iter().any(|one| one == chain));
        Ok(about_it.map(|(start, end, _)| RenewalWindow {
            start: *start,
            end: *end,
            check_again_after: Duration::from_hours(6),
            explanation: None,
        }))
    }
}
