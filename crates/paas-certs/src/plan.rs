//! What to do about a name now. Pure: the clock and everything known come in as values.

use std::time::Duration;

use paas_acme::{LETS_ENCRYPT_STAGING, renew_at};
use paas_domain::Hostname;
use paas_store::{AddedCertificate, Certificate, RenewalAdvice, Tries};
use time::OffsetDateTime;

use crate::choice::is_good;

/// How long before the end of a certificate that people brought we get one ourselves, in seconds: they may have forgotten it.
const STEP_IN: i64 = 3 * 24 * 60 * 60;

/// Clocks of servers differ a little; more than this in the future was written by a clock that was wrong, in seconds.
const CLOCK_SKEW: i64 = 5 * 60;

/// The least time between two certificates of a name, in seconds, unless a quarter of their life is less.
const LONGEST_SPACING: i64 = 24 * 60 * 60;

/// No authority asks to be left alone for longer, in seconds.
const LONGEST_UNASKED: i64 = 31 * 24 * 60 * 60;

/// Whether an authority is to sign the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signable {
    Yes,
    /// Only the server's own authority will, and why.
    No(String),
}

/// What is known about a name. Times are Unix seconds.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    pub(crate) host: &'a Hostname,
    pub(crate) signable: &'a Signable,
    /// The directory in use.
    pub(crate) directory: &'a str,
    pub(crate) acme: Option<&'a Certificate>,
    pub(crate) added: Option<&'a AddedCertificate>,
    pub(crate) tries: Option<&'a Tries>,
    /// Whether an order was begun and has not ended.
    pub(crate) ordered: bool,
    /// The authority has asked everybody to wait until then.
    pub(crate) held_until: i64,
}

/// What to do about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing before that time, or before something changes.
    Rest(Option<i64>),
    /// Get a certificate, or go on with the order under way.
    Obtain,
    /// Ask the authority when it wants the certificate renewed.
    Ask,
}

impl Known<'_> {
    /// What to do now.
    pub(crate) fn step(&self, now: i64) -> Step {
        if matches!(self.signable, Signable::No(_)) {
            return Step::Rest(None);
        }
        if let Some(until) = self.added.map(step_in_at).filter(|until| now < *until) {
            return Step::Rest(Some(until));
        }
        let allowed = self.tries.map_or(now, |tries| next_try(tries, now)).max(self.held_until);
        let current = self.acme.filter(|found| is_good(&found.validity, now) && !self.is_superseded(found));
        let Some(current) = current.filter(|_| !self.ordered) else { return obtain_at(allowed, now) };
        let due = due(current, self.host).max(not_before(current, now)).max(allowed);
        let ask = current.advice.map_or(now, |advice| ask_at(advice, now)).max(self.held_until);
        match obtain_at(due, now) {
            Step::Rest(_) if ask <= now => Step::Ask,
            Step::Rest(_) => Step::Rest(Some(due.min(ask))),
            step => step,
        }
    }

    /// A certificate of trials ends when trials do.
    fn is_superseded(&self, certificate: &Certificate) -> bool {
        certificate.directory.as_deref() == Some(LETS_ENCRYPT_STAGING)
            && self.directory != LETS_ENCRYPT_STAGING
    }
}

/// When we get a certificate beside one that people brought.
pub(crate) fn step_in_at(added: &AddedCertificate) -> i64 {
    added.validity.not_after - STEP_IN
}

/// When a certificate is renewed: when its authority says so, but never in the last twentieth of its life; without advice by what is
/// left of it.
pub(crate) fn due(certificate: &Certificate, host: &Hostname) -> i64 {
    let validity = &certificate.validity;
    let latest = validity.not_after - (validity.not_after - validity.not_before) / 20;
    match certificate.advice.and_then(|advice| advice.renew_at) {
        Some(advised) => advised.min(latest),
        None => renew_at(time(validity.not_before), time(validity.not_after), host.as_str()).unix_timestamp(),
    }
}

/// A certificate is not renewed right after it was got, whatever its dates and its authority say: a wrong clock or a wrong window would
/// make orders without an end.
pub(crate) fn not_before(certificate: &Certificate, now: i64) -> i64 {
    let validity = &certificate.validity;
    let spacing = LONGEST_SPACING.min((validity.not_after - validity.not_before) / 4);
    match certificate.obtained_at {
        obtained if obtained > now + CLOCK_SKEW => now,
        obtained => obtained + spacing,
    }
}

/// When to ask the authority again; what was written down by a clock that ran ahead is due.
fn ask_at(advice: RenewalAdvice, now: i64) -> i64 {
    if advice.ask_at > now + LONGEST_UNASKED { now } else { advice.ask_at }
}

/// When the next try is allowed. What a clock that ran ahead wrote down binds nobody after it was set right.
fn next_try(tries: &Tries, now: i64) -> i64 {
    if tries.tried_at > now + CLOCK_SKEW { now } else { tries.next_try }
}

fn obtain_at(at: i64, now: i64) -> Step {
    if at <= now { Step::Obtain } else { Step::Rest(Some(at)) }
}

/// How long our own check waits after it failed so many times in a row. It costs the authority nothing, and people mend their DNS while
/// they watch.
pub(crate) fn check_again(checks: u32) -> Duration {
    Duration::from_mins(match checks {
        0 | 1 => 1,
        2 => 2,
        3 => 5,
        4..=100 => 15,
        _ => 60,
    })
}

/// Unix seconds as a time; one that cannot be is the beginning of 1970.
pub(crate) fn time(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
