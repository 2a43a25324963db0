//! One try to get a certificate, from its first row to its last.

use std::time::Duration;

use paas_acme::{
    AcmeError, AcmeErrorKind, CertificateFacts, ChallengeKind, Obstacle, back_off, generate_key,
    pick_in_window,
};
use paas_domain::{Hostname, Secret};
use paas_store::{
    Certificate, CertificateOrder, CertificateSource, Pair, Problem, RenewalAdvice, StoreError, Tries,
};
use thiserror::Error;

use crate::{
    choice::is_good,
    keeper::{KeepError, Keeper, View},
    own::validity,
    plan::{Step, check_again, time},
    settings::is_trusted,
};

/// When an authority that did not answer is asked again about renewal. Twice a day is what they ask for at least.
const ASK_AGAIN: Duration = Duration::from_hours(6);

const A_DAY: Duration = Duration::from_hours(24);

/// How long nobody asks after no account could be made.
const HOLD: Duration = Duration::from_mins(1);

/// When one that gives no advice is asked whether it does now.
const ASK_FOR_ADVICE: Duration = Duration::from_hours(24);

/// Why a try has not brought a certificate.
#[derive(Debug, Error)]
enum Failed {
    #[error(transparent)]
    Obstacle(#[from] Obstacle),
    #[error(transparent)]
    Acme(#[from] AcmeError),
    #[error(
        "{0} signed a certificate that is not good at the time this server's clock shows; is the clock right?"
    )]
    Clock(String),
    #[error(transparent)]
    Keep(KeepError),
}

impl<E: Into<KeepError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Keep(error.into())
    }
}

/// Tries once to get a certificate for the name, and remembers how that went.
pub(crate) async fn obtain(keeper: &Keeper, host: &Hostname) -> Result<(), KeepError> {
    let Ok(look) = keeper.looks.acquire().await else { return Ok(()) };
    let view = keeper.view()?;
    // Others were served first; things may have changed while this one waited.
    if !view.names.contains_key(host) || keeper.step(&view, host, now(keeper)) != Step::Obtain {
        return Ok(());
    }
    let before = view.tries.get(host);
    let looked = look_first(keeper, host).await;
    drop(look);
    let tried = match looked {
        Ok(kinds) => try_once(keeper, host, &view, &kinds).await,
        Err(obstacle) => Err(obstacle.into()),
    };
    match tried {
        Ok(()) => Ok(()),
        Err(Failed::Keep(error)) => Err(error),
        Err(failed) => {
            tracing::info!(%host, problem = %failed, "no certificate yet");
            remember(keeper, host, before, &failed, &view)
        }
    }
}

/// Whether the authority could check the name, and by which ways.
async fn look_first(keeper: &Keeper, host: &Hostname) -> Result<Vec<ChallengeKind>, Obstacle> {
    match &keeper.settings.preflight {
        Some(preflight) => preflight.check(host, &keeper.answers).await,
        None if host.is_wildcard() => Ok(vec![ChallengeKind::Dns01]),
        None => Ok(vec![ChallengeKind::Http01, ChallengeKind::TlsAlpn01]),
    }
}

async fn try_once(
    keeper: &Keeper,
    host: &Hostname,
    view: &View,
    kinds: &[ChallengeKind],
) -> Result<(), Failed> {
    let Ok(_one_of_a_few) = keeper.orders.acquire().await else { return Ok(()) };
    if keeper.held_until() > now(keeper) {
        // The authority has asked everybody to wait while this one waited: the next look waits too.
        return Ok(());
    }
    // If this process dies from here on, the next life finds a try that failed, and waits as after one.
    let before = view.tries.get(host);
    let problem = before.and_then(|tries| tries.problem.clone());
    keeper.store.put_tries(&failed_once_more(keeper, host, before, problem, None, view))?;
    let account = account(keeper).await?;
    let (order, url, is_old) = order(keeper, host, &account, view).await?;
    let chain = match complete(keeper, host, &account, &order.key, &url, kinds).await {
        Err(gone) if is_old && gone.kind() == AcmeErrorKind::OrderGone => {
            let (order, url) = new_order(keeper, host, &account, view).await?;
            let chain = complete(keeper, host, &account, &order.key, &url, kinds).await?;
            return keep(keeper, host, chain, order.key);
        }
        chain => chain?,
    };
    keep(keeper, host, chain, order.key)
}

/// Our account at the authority, made the first time.
async fn account(keeper: &Keeper) -> Result<Secret, Failed> {
    let _one_at_a_time = keeper.account_turn.lock().await;
    let directory = keeper.authority.directory();
    if let Some(account) = keeper.store.acme_account(directory)? {
        return Ok(account);
    }
    let registered = keeper.authority.register().await;
    // Without an account nothing can be ordered for any name.
    let account = registered.inspect_err(|error| {
        keeper.hold_until(now(keeper) + seconds(HOLD.max(error.retry_after().unwrap_or_default())));
    })?;
    tracing::info!(directory, "made an account at the certificate authority");
    keeper.store.save_acme_account(directory, &account)?;
    Ok(account)
}

/// The order under way and where it is, or a new one. Says whether it is an old one.
async fn order(
    keeper: &Keeper,
    host: &Hostname,
    account: &Secret,
    view: &View,
) -> Result<(CertificateOrder, String, bool), Failed> {
    let found = keeper.store.find_order(host)?;
    let found = found.filter(|order| order.directory == keeper.authority.directory());
    if let Some((order, url)) = found.and_then(|order| order.url.clone().map(|url| (order, url))) {
        return Ok((order, url, true));
    }
    let (order, url) = new_order(keeper, host, account, view).await?;
    Ok((order, url, false))
}

async fn new_order(
    keeper: &Keeper,
    host: &Hostname,
    account: &Secret,
    view: &View,
) -> Result<(CertificateOrder, String), Failed> {
    let directory = keeper.authority.directory();
    let key = generate_key()?;
    keeper.store.begin_order(host, directory, &key)?;
    let replaced = replaced(keeper, host, view)?;
    let url = keeper.authority.new_order(account, host, replaced.as_deref()).await;
    let url = url.inspect_err(|error| forget(keeper, host, account, error))?;
    keeper.store.set_order_url(host, &url)?;
    tracing::info!(%host, order = url, "ordered a certificate");
    let order = CertificateOrder { hostname: host.clone(), directory: directory.to_owned(), url: None, key };
    Ok((order, url))
}

/// The chain of the certificate that a new one takes the place of, if it is from the same authority (RFC 9773 §5).
fn replaced(keeper: &Keeper, host: &Hostname, view: &View) -> Result<Option<String>, StoreError> {
    let same = |found: &&Certificate| {
        found.directory.as_deref() == Some(keeper.authority.directory())
            && is_good(&found.validity, now(keeper))
    };
    match view.stock.find(host, CertificateSource::Acme).filter(same) {
        Some(_) => Ok(keeper.store.certificate_pair(host, CertificateSource::Acme)?.map(|pair| pair.chain)),
        None => Ok(None),
    }
}

async fn complete(
    keeper: &Keeper,
    host: &Hostname,
    account: &Secret,
    key: &Secret,
    url: &str,
    kinds: &[ChallengeKind],
) -> Result<String, AcmeError> {
    let completed = keeper.authority.complete(account, url, host, key, kinds, &keeper.answers).await;
    completed.inspect_err(|error| forget(keeper, host, account, error))
}

/// Drops what cannot be gone on with, so that the next try begins anew.
fn forget(keeper: &Keeper, host: &Hostname, account: &Secret, error: &AcmeError) {
    use AcmeErrorKind as Kind;
    if let (Kind::Busy, Some(wait)) = (error.kind(), error.retry_after()) {
        // It does not answer anybody (RFC 9110 §15.6.4).
        keeper.hold_until(now(keeper) + seconds(wait));
    }
    let forgotten = match error.kind() {
        Kind::OrderGone | Kind::Validation | Kind::Refused | Kind::Protocol => keeper.store.drop_order(host),
        Kind::AccountGone => keeper
            .store
            .drop_order(host)
            .and_then(|()| keeper.store.forget_acme_account(keeper.authority.directory(), account)),
        Kind::Unreachable | Kind::Busy | Kind::RateLimited | Kind::Solver | Kind::Account => Ok(()),
    };
    if let Err(error) = forgotten {
        tracing::warn!(%host, %error, "an order could not be dropped");
    }
}

/// Keeps the certificate: its row, the end of the order and of all memory of failures are one transaction.
fn keep(keeper: &Keeper, host: &Hostname, chain: String, key: Secret) -> Result<(), Failed> {
    let facts = CertificateFacts::read(&chain)?;
    let certificate = Certificate {
        hostname: host.clone(),
        source: CertificateSource::Acme,
        directory: Some(keeper.authority.directory().to_owned()),
        validity: validity(&facts),
        obtained_at: now(keeper),
        trusted: is_trusted(keeper.authority.directory()),
        advice: None,
    };
    if !is_good(&certificate.validity, now(keeper)) {
        keeper.store.drop_order(host)?;
        return Err(Failed::Clock(facts.issuer));
    }
    keeper.store.put_certificate(&certificate, &Pair { chain, key })?;
    tracing::info!(%host, issuer = facts.issuer, until = %facts.not_after, "got a certificate");
    Ok(())
}

/// Asks the authority when it wants the name's certificate renewed.
pub(crate) async fn ask(keeper: &Keeper, host: &Hostname) -> Result<(), KeepError> {
    let Ok(_one_of_a_few) = keeper.looks.acquire().await else { return Ok(()) };
    // If this process dies from here on, the next life does not ask at once.
    later(keeper, host, ASK_AGAIN)?;
    let directory = keeper.authority.directory();
    let Some(account) = keeper.store.acme_account(directory)? else {
        return later(keeper, host, ASK_FOR_ADVICE);
    };
    let Some(pair) = keeper.store.certificate_pair(host, CertificateSource::Acme)? else { return Ok(()) };
    match keeper.authority.renewal_window(&account, &pair.chain).await {
        Ok(Some(window)) => {
            let chosen = pick_in_window(window.start, window.end, keeper.clock.now(), host.as_str());
            let ask_at = now(keeper) + seconds(window.check_again_after);
            let advice = RenewalAdvice { renew_at: Some(chosen.unix_timestamp()), ask_at };
            Ok(keeper.store.set_renewal_advice(host, advice)?)
        }
        Ok(None) => later(keeper, host, ASK_FOR_ADVICE),
        Err(error) => {
            tracing::debug!(%host, %error, "the authority did not say when to renew");
            later(keeper, host, ASK_AGAIN.max(error.retry_after().unwrap_or_default()))
        }
    }
}

/// No advice now: what was advised before still holds.
fn later(keeper: &Keeper, host: &Hostname, wait: Duration) -> Result<(), KeepError> {
    let view = keeper.view()?;
    let known = view.stock.find(host, CertificateSource::Acme).and_then(|found| found.advice);
    let ask_at = now(keeper) + seconds(wait);
    let advice = RenewalAdvice { renew_at: known.and_then(|advice| advice.renew_at), ask_at };
    Ok(keeper.store.set_renewal_advice(host, advice)?)
}

/// Records a try that failed, and when the next one is allowed.
fn remember(
    keeper: &Keeper,
    host: &Hostname,
    before: Option<&Tries>,
    failed: &Failed,
    view: &View,
) -> Result<(), KeepError> {
    let problem = |kind: &str| Some(Problem { kind: kind.to_owned(), sentence: failed.to_string() });
    let tries = match failed {
        Failed::Obstacle(obstacle) => {
            let checks = before.map_or(0, |tries| tries.checks).saturating_add(1);
            Tries {
                hostname: host.clone(),
                failures: before.map_or(0, |tries| tries.failures),
                checks,
                tried_at: now(keeper),
                next_try: now(keeper) + seconds(check_again(checks)),
                held_until: before.map_or(0, |tries| tries.held_until),
                problem: problem(obstacle.kind()),
            }
        }
        Failed::Acme(error) => {
            failed_once_more(keeper, host, before, problem(error.kind().as_str()), error.retry_after(), view)
        }
        // Each such try is a certificate that nobody uses, and authorities count those.
        _ => {
            let tries = failed_once_more(keeper, host, before, problem("clock"), None, view);
            Tries { next_try: tries.tried_at + seconds(A_DAY), ..tries }
        }
    };
    // The name may have gone while it was tried.
    if keeper.view()?.names.contains_key(host) {
        keeper.store.put_tries(&tries)?;
    }
    Ok(())
}

fn failed_once_more(
    keeper: &Keeper,
    host: &Hostname,
    before: Option<&Tries>,
    problem: Option<Problem>,
    retry_after: Option<Duration>,
    view: &View,
) -> Tries {
    let failures = before.map_or(0, |tries| tries.failures).saturating_add(1);
    let current = view.stock.find(host, CertificateSource::Acme).map(|found| found.validity.not_after);
    let remaining = current.and_then(|end| Duration::try_from(time(end) - keeper.clock.now()).ok());
    let wait = back_off(failures, remaining).max(retry_after.unwrap_or_default());
    let now = now(keeper);
    Tries {
        hostname: host.clone(),
        failures,
        checks: 0,
        tried_at: now,
        next_try: now + seconds(wait),
        held_until: retry_after.map_or(0, |wait| now + seconds(wait)),
        problem,
    }
}

fn now(keeper: &Keeper) -> i64 {
    keeper.clock.now().unix_timestamp()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4)
}
