use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use paas_acme::{
    Authority, KeyError, NameClass, OwnAuthority, OwnAuthorityError, PairError, PrivateReason, classify,
};
use paas_domain::Hostname;
use paas_proxy::{ProxyClient, ProxyClientError};
use paas_store::{CertificateSource, RenewalAdvice, Store, StoreError, Tries};
use thiserror::Error;
use time::OffsetDateTime;
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    attempt,
    choice::{LAST_HOUR, Stock, is_good},
    clock::Clock,
    own,
    plan::{Known, Signable, Step, due, not_before, step_in_at, time},
    settings::KeeperSettings,
    solver::Answers,
    wanted::{Names, wanted},
};

/// How often everything is looked over even when nothing seems to have happened. Clocks may jump, so no wait is longer.
const LOOK_EVERY: Duration = Duration::from_mins(10);

/// What a round says when nothing is due for longer: certificates of our own are renewed without being waited for.
const LONGEST_REST: Duration = Duration::from_hours(24);

/// The longest an authority can hold everybody, in seconds.
const LONGEST_HOLD: i64 = 31 * 24 * 60 * 60;

/// How many names are looked at, or asked about, at one time.
const LOOKS_AT_ONCE: usize = 20;

/// How soon it is looked again when something did not answer.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Keeps a certificate for every hostname of the store, and the proxy serving it.
pub struct Keeper {
    pub(crate) store: Store,
    pub(crate) proxy: ProxyClient,
    pub(crate) authority: Arc<dyn Authority>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: KeeperSettings,
    pub(crate) answers: Answers,
    held_until: AtomicI64,
    /// One at a time makes the account, and the others find it.
    pub(crate) account_turn: tokio::sync::Mutex<()>,
    pub(crate) orders: Semaphore,
    /// How many names are looked at, or asked about, at one time: apart from the orders, so that slow names hold up no renewal.
    pub(crate) looks: Semaphore,
    bell: Arc<Notify>,
    running: Mutex<HashMap<Hostname, CancellationToken>>,
    tasks: TaskTracker,
}

/// Why not everything could be made as it should be, this time.
#[derive(Debug, Error)]
pub enum KeepError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyClientError),
    /// A certificate in the store is not one.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The server's own authority did not sign.
    #[error(transparent)]
    Own(#[from] OwnAuthorityError),
}

/// Everything a look at the names needs, read at one time.
pub(crate) struct View {
    pub(crate) names: Names,
    pub(crate) stock: Stock,
    pub(crate) tries: HashMap<Hostname, Tries>,
    pub(crate) ordered: HashSet<Hostname>,
}

impl Keeper {
    /// Touches nothing yet. `bell` is rung by others when the names of the store have changed.
    pub fn new(
        store: Store,
        proxy: ProxyClient,
        authority: Arc<dyn Authority>,
        clock: Arc<dyn Clock>,
        bell: Arc<Notify>,
        settings: KeeperSettings,
    ) -> Arc<Self> {
        let answers = Answers { proxy: proxy.clone(), dns_hook: settings.dns_hook.clone() };
        let orders = Semaphore::new(settings.orders_at_once);
        let looks = Semaphore::new(LOOKS_AT_ONCE);
        Arc::new(Self {
            store,
            proxy,
            authority,
            clock,
            settings,
            answers,
            held_until: AtomicI64::new(0),
            account_turn: tokio::sync::Mutex::new(()),
            orders,
            looks,
            bell,
            running: Mutex::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Looks after the certificates until `shutdown`. Orders under way are left as they are in the store, to be gone on with.
    pub async fn run(self: &Arc<Self>, shutdown: CancellationToken) {
        loop {
            let wait = match self.round().await {
                Ok(next) => next.min(LOOK_EVERY),
                Err(error) => {
                    tracing::warn!(error = %chain(&error), "not every certificate is as it should be yet");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.running().values().for_each(CancellationToken::cancel);
        self.settled().await;
    }

    /// Looks at every name once: begins what is due, and makes the proxy serve what there is. Says how long nothing more is due, at most a day.
    pub async fn round(self: &Arc<Self>) -> Result<Duration, KeepError> {
        let now = self.clock.now();
        let view = self.view()?;
        self.leave_alone(&view)?;
        let made = self.ensure_own(&view, now)?;
        let mut next = now + LONGEST_REST;
        for (host, app) in &view.names {
            match self.step(&view, host, now.unix_timestamp()) {
                Step::Rest(None) => {}
                Step::Rest(Some(until)) => next = next.min(time(until)),
                step => self.begin(host, step),
            }
            let served = view.stock.choose(host, *app, now.unix_timestamp());
            let replaced = served.map(|choice| time(choice.validity().not_after - LAST_HOUR));
            next = next.min(replaced.filter(|at| *at > now).unwrap_or(next));
        }
        let view = if made { self.view()? } else { view };
        self.sync(&view, now.unix_timestamp()).await?;
        Ok(Duration::try_from(next - self.clock.now()).unwrap_or_default())
    }

    /// Resolves when nothing is under way.
    pub async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    /// Looks at everything again soon: something has changed.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// The root certificate to trust, PEM.
    pub fn root(&self) -> Result<String, KeepError> {
        Ok(self.own_authority(self.clock.now())?.certificate_pem().to_owned())
    }

    /// Tries the name's order now, unless its authority has asked to wait; with `anew` also when its certificate is still good, at most once
    /// a day. False when there is nothing to try: no authority is to sign it, one that was added is in use, or the day has not passed.
    pub fn renew(&self, host: &Hostname, anew: bool) -> Result<bool, KeepError> {
        if matches!(self.signable(host), Signable::No(_)) {
            return Ok(false);
        }
        let now = self.clock.now().unix_timestamp();
        let view = self.view()?;
        let app = view.names.get(host).copied().flatten();
        if view.stock.added_for(host, app).is_some_and(|added| step_in_at(added) > now) {
            return Ok(false);
        }
        self.store.try_again_at(host, now)?;
        let current = view.stock.find(host, CertificateSource::Acme);
        if let Some(current) = current.filter(|_| anew) {
            if not_before(current, now) > now {
                return Ok(false);
            }
            let ask_at = current.advice.map_or(now, |advice| advice.ask_at);
            self.store.set_renewal_advice(host, RenewalAdvice { renew_at: Some(now), ask_at })?;
        }
        self.bell.notify_one();
        Ok(true)
    }

    /// Whether wildcard names can have a certificate, by a program that changes DNS records.
    pub fn has_dns_hook(&self) -> bool {
        self.settings.dns_hook.is_some()
    }

    /// Until when the authority has asked everybody to wait; Unix seconds.
    pub(crate) fn held_until(&self) -> i64 {
        self.held_until.load(Ordering::Relaxed)
    }

    pub(crate) fn hold_until(&self, until: i64) {
        self.held_until.fetch_max(until, Ordering::Relaxed);
    }

    pub(crate) fn view(&self) -> Result<View, StoreError> {
        let stock = Stock { ours: self.store.certificates()?, added: self.store.added_certificates()? };
        let tries = self.store.certificate_tries()?;
        Ok(View {
            names: wanted(&self.store, &self.settings.domain)?,
            stock,
            tries: tries.into_iter().map(|tries| (tries.hostname.clone(), tries)).collect(),
            ordered: self.store.ordered_names()?.into_iter().collect(),
        })
    }

    pub(crate) fn step(&self, view: &View, host: &Hostname, now: i64) -> Step {
        let app = view.names.get(host).copied().flatten();
        let known = Known {
            host,
            signable: &self.signable(host),
            directory: self.authority.directory(),
            acme: view.stock.find(host, CertificateSource::Acme),
            added: view.stock.added_for(host, app),
            tries: view.tries.get(host),
            ordered: view.ordered.contains(host),
            // What a clock that ran ahead wrote down binds nobody.
            held_until: Some(self.held_until()).filter(|until| *until <= now + LONGEST_HOLD).unwrap_or(now),
        };
        known.step(now)
    }

    /// Whether an authority is to sign the name at all.
    pub(crate) fn signable(&self, host: &Hostname) -> Signable {
        match classify(host) {
            NameClass::Private(reason) if !self.authority.is_private() || is_this_machine(&reason) => {
                Signable::No(reason.to_string())
            }
            _ if host.is_wildcard() && self.settings.dns_hook.is_none() => Signable::No(
                "a certificate for a wildcard needs a change of DNS records; name a program that makes it as `dns_hook` \
                 under [acme] in /etc/paas/paas.toml"
                    .to_owned(),
            ),
            _ => Signable::Yes,
        }
    }

    /// Ends what is under way for names that lead nowhere any more, and forgets what was remembered of them. Their certificates stay
    /// until they expire: the name may come back.
    fn leave_alone(&self, view: &View) -> Result<(), StoreError> {
        let gone = |host: &&Hostname| !view.names.contains_key(*host);
        for (host, cancel) in &*self.running() {
            if gone(&host) {
                cancel.cancel();
            }
        }
        for host in view.ordered.iter().filter(gone) {
            self.store.drop_order(host)?;
        }
        let now = self.clock.now().unix_timestamp();
        // What was to be waited for is waited for, also when the name comes back meanwhile.
        for tries in view.tries.values().filter(|tries| gone(&&tries.hostname) && tries.next_try <= now) {
            self.store.forget_tries(&tries.hostname)?;
        }
        for old in &view.stock.ours {
            let is_worth_nothing = old.source == CertificateSource::Own || !is_good(&old.validity, now);
            if gone(&&old.hostname) && is_worth_nothing {
                self.store.delete_certificate(&old.hostname, old.source)?;
            }
        }
        Ok(())
    }

    /// Every name that has nothing better has a certificate of the server's own authority. Says whether one was made.
    fn ensure_own(&self, view: &View, now: OffsetDateTime) -> Result<bool, KeepError> {
        let mut authority = None;
        for (host, app) in &view.names {
            let seconds = now.unix_timestamp();
            let own = view.stock.find(host, CertificateSource::Own);
            // One of a clock that ran ahead is good for nobody: unlike authorities, we do sign for the future then.
            let is_fresh = own.is_some_and(|own| {
                own.validity.not_before <= seconds && seconds < due(own, host).min(own.validity.not_after)
            });
            let better = view.stock.choose(host, *app, seconds).filter(|choice| {
                is_good(choice.validity(), seconds)
                    && own.is_none_or(|own| choice.validity().fingerprint != own.validity.fingerprint)
            });
            if is_fresh || better.is_some() {
                continue;
            }
            let authority = match &mut authority {
                Some(authority) => authority,
                none => none.insert(self.own_authority(now)?),
            };
            if let Err(error) = own::issue(&self.store, authority, host, now) {
                tracing::warn!(%host, error = %chain(&error), "our own authority has not signed");
            }
        }
        Ok(authority.is_some())
    }

    fn own_authority(&self, now: OffsetDateTime) -> Result<OwnAuthority, KeepError> {
        own::authority(&self.store, &self.settings.domain, now)
    }

    /// Starts a task for the name, unless it has one.
    fn begin(self: &Arc<Self>, host: &Hostname, step: Step) {
        let cancel = CancellationToken::new();
        match self.running().entry(host.clone()) {
            std::collections::hash_map::Entry::Occupied(_) => return,
            std::collections::hash_map::Entry::Vacant(place) => place.insert(cancel.clone()),
        };
        let running = Running { keeper: Arc::clone(self), host: host.clone() };
        self.tasks.spawn(async move {
            let work = async {
                match step {
                    Step::Obtain => attempt::obtain(&running.keeper, &running.host).await,
                    _ => attempt::ask(&running.keeper, &running.host).await,
                }
            };
            let ended = async {
                let Err(error) = work.await else { return };
                tracing::warn!(host = %running.host, error = %chain(&error), "a certificate could not be seen to");
                // The store failed, maybe before the try was written down: nothing else holds the next one back.
                tokio::time::sleep(LOOK_AGAIN).await;
            };
            tokio::select! {
                () = ended => {}
                () = cancel.cancelled() => running.keeper.answers.forget(running.host.as_str()).await,
            }
        });
    }

    pub(crate) fn is_running(&self, host: &Hostname) -> bool {
        self.running().contains_key(host)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Hostname, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names below `localhost` are every machine's own (RFC 6761 §6.3): no authority, not even a private one, comes here by them.
fn is_this_machine(reason: &PrivateReason) -> bool {
    matches!(reason, PrivateReason::Suffix("localhost"))
}

/// While it lives something is under way for the name; it ends with the task, however that ends.
struct Running {
    keeper: Arc<Keeper>,
    host: Hostname,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.keeper.running().remove(&self.host);
        self.keeper.bell.notify_one();
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
