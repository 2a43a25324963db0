//! What an authority says, in plain words.

use std::time::Duration;

use instant_acme::{Error, Problem};
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

use super::{
    AcmeError, AcmeErrorKind,
    http_failure::{self, Answer, HttpFailure, problem_type},
    retry_after, well_known,
};
use crate::{ChallengeKind, text::plain};

const MOMENT: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");

/// Turns what went wrong with one authority into sentences about it.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    name: String,
}

impl Voice {
    pub(crate) fn new(directory: &str) -> Self {
        Self { name: well_known::name_of(directory) }
    }

    /// What people call the authority.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What an operation of the client library ended with. `subject` is what it was about: a host, or the account.
    pub(crate) fn error(&self, error: Error, subject: &str) -> AcmeError {
        match error {
            Error::Api(problem) => self.problem(&problem, None, None, subject),
            Error::Other(inner) => match inner.downcast::<HttpFailure>() {
                Ok(failure) => self.failure(*failure, subject),
                Err(other) => self.protocol(other),
            },
            other => self.protocol(other),
        }
    }

    /// What one request ended with.
    pub(crate) fn failure(&self, failure: HttpFailure, subject: &str) -> AcmeError {
        let name = &self.name;
        let unreachable = |sentence| AcmeError::new(AcmeErrorKind::Unreachable, sentence);
        match failure {
            HttpFailure::Answer(answer) => self.answer(&answer, subject),
            HttpFailure::Connect(error) => {
                unreachable(format!("this server cannot connect to {name}: {}", deepest(&error)))
            }
            HttpFailure::Cut(error) => {
                unreachable(format!("the connection to {name} broke in the middle of a request"))
                    .because(error)
            }
            HttpFailure::Timeout(limit) => {
                unreachable(format!("{name} did not answer within {} seconds", limit.as_secs()))
            }
            failure @ HttpFailure::TooLarge(_) => self.protocol(failure),
        }
    }

    fn answer(&self, answer: &Answer, subject: &str) -> AcmeError {
        let status = answer.status.as_u16();
        match &answer.problem {
            Some(problem) if problem.r#type.is_some() => {
                self.problem(problem, Some(status), answer.retry_after, subject)
            }
            _ => self.by_status(status, answer.retry_after, subject, ""),
        }
    }

    fn problem(
        &self,
        problem: &Problem,
        status: Option<u16>,
        retry_after: Option<Duration>,
        subject: &str,
    ) -> AcmeError {
        let name = &self.name;
        let detail = detail_of(problem);
        let error = |kind, sentence: String| AcmeError::new(kind, sentence).after(retry_after);
        match problem_type(problem) {
            "rateLimited" => self.limit(retry_after, subject, &detail),
            "rejectedIdentifier" | "unsupportedIdentifier" => error(
                AcmeErrorKind::Refused,
                format!("{name} does not sign certificates for {subject}: {detail}"),
            ),
            "caa" => error(AcmeErrorKind::Refused, caa(name, subject, &detail)),
            "invalidProfile" => error(
                AcmeErrorKind::Refused,
                format!("{name} does not offer the certificate profile that is configured: {detail}"),
            ),
            "externalAccountRequired" => error(
                AcmeErrorKind::Account,
                format!(
                    "{name} needs an account made on its site: configure its key id and HMAC key (external account binding)"
                ),
            ),
            "accountDoesNotExist" => error(
                AcmeErrorKind::AccountGone,
                format!("{name} no longer knows this server's account: a new one is needed"),
            ),
            "userActionRequired" => error(
                AcmeErrorKind::Account,
                format!("{name} wants something done for this server's account first: {detail}"),
            ),
            "invalidContact" | "unsupportedContact" => error(
                AcmeErrorKind::Account,
                format!("{name} does not accept the e-mail address that is configured: {detail}"),
            ),
            "unauthorized" => error(
                AcmeErrorKind::Account,
                format!("{name} does not accept this server's account: {detail}"),
            ),
            _ => self.by_status(status.or(problem.status).unwrap_or_default(), retry_after, subject, &detail),
        }
    }

    fn by_status(
        &self,
        status: u16,
        retry_after: Option<Duration>,
        subject: &str,
        detail: &str,
    ) -> AcmeError {
        let name = &self.name;
        match status {
            429 => self.limit(retry_after, subject, detail),
            500.. => {
                let until = retry_after
                    .map_or_else(String::new, |wait| format!(" and asks to wait until {}", moment(wait)));
                let sentence = format!("{name} cannot serve requests at the moment (HTTP {status}){until}");
                AcmeError::new(AcmeErrorKind::Busy, sentence).after(retry_after)
            }
            _ => {
                let said = if detail.is_empty() { format!("HTTP {status}") } else { detail.to_owned() };
                let sentence = format!("{name} did not accept a request about {subject}: {said}");
                AcmeError::new(AcmeErrorKind::Protocol, sentence).after(retry_after)
            }
        }
    }

    fn limit(&self, retry_after: Option<Duration>, subject: &str, detail: &str) -> AcmeError {
        let wait = retry_after.or_else(|| retry_after::of_text(detail, OffsetDateTime::now_utc()));
        let until = wait.map_or_else(|| "for now".to_owned(), |wait| format!("until {}", moment(wait)));
        let why = if detail.is_empty() { String::new() } else { format!(": {detail}") };
        let sentence = format!("{} accepts no more requests for {subject} {until}{why}", self.name);
        AcmeError::new(AcmeErrorKind::RateLimited, sentence).after(wait)
    }

    pub(crate) fn protocol(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AcmeError {
        let sentence = format!("{} answered with something that is not ACME (RFC 8555)", self.name);
        AcmeError::new(AcmeErrorKind::Protocol, sentence).because(error)
    }

    /// Why the authority could not check a host, from the error of a challenge (RFC 8555 §6.7 and §7.1.6).
    pub(crate) fn validation(&self, problem: &Problem, kind: ChallengeKind, host: &str) -> AcmeError {
        let name = &self.name;
        let detail = detail_of(problem);
        let (error_kind, sentence) = match problem_type(problem) {
            "caa" => (AcmeErrorKind::Refused, caa(name, host, &detail)),
            "rejectedIdentifier" => {
                (AcmeErrorKind::Refused, format!("{name} does not sign certificates for {host}: {detail}"))
            }
            "dns" => {
                (AcmeErrorKind::Validation, format!("{name} found no usable DNS record for {host}: {detail}"))
            }
            "connection" => (
                AcmeErrorKind::Validation,
                format!("{name} could not connect to {host}{}: {detail}", port(kind)),
            ),
            "tls" => (
                AcmeErrorKind::Validation,
                format!("{name} could not make a TLS connection to {host}: {detail}"),
            ),
            "unauthorized" | "incorrectResponse" => {
                (AcmeErrorKind::Validation, format!("{name} {} {host}: {detail}", other_answer(kind)))
            }
            "rateLimited" => return self.problem(problem, None, None, host),
            "serverInternal" => {
                (AcmeErrorKind::Busy, format!("{name} failed while it checked {host}: {detail}"))
            }
            _ => (AcmeErrorKind::Validation, format!("{name} could not check {host}: {detail}")),
        };
        AcmeError::new(error_kind, sentence)
    }

    pub(crate) fn order_gone(&self, host: &str, why: &str) -> AcmeError {
        let sentence =
            format!("the order for {host} at {} leads nowhere ({why}); a new one is needed", self.name);
        AcmeError::new(AcmeErrorKind::OrderGone, sentence)
    }

    pub(crate) fn order_failed(&self, host: &str, problem: Option<&Problem>) -> AcmeError {
        let why = problem.map_or_else(|| "it has failed or expired".to_owned(), detail_of);
        self.order_gone(host, &why)
    }

    pub(crate) fn unfinished(&self, host: &str) -> AcmeError {
        let sentence = format!(
            "{} has not finished the order for {host} in time; it is taken up again later",
            self.name
        );
        AcmeError::new(AcmeErrorKind::Busy, sentence)
    }
}

/// Whether the authority says that the order or the account's right to it is gone.
pub(crate) fn is_order_unknown(error: &Error) -> bool {
    http_failure::answer_in(error).is_some_and(|answer| {
        let about_account = answer.problem_type() == "accountDoesNotExist";
        matches!(answer.status.as_u16(), 403 | 404 | 410) && !about_account
    })
}

/// A problem's own words; of several, those about the identifiers (RFC 8555 §6.7.1).
fn detail_of(problem: &Problem) -> String {
    let subproblems: Vec<&str> = problem.subproblems.iter().filter_map(|sub| sub.detail.as_deref()).collect();
    if !subproblems.is_empty() {
        return plain(&subproblems.join("; "));
    }
    match problem.detail.as_deref() {
        Some(detail) if !detail.trim().is_empty() => plain(detail),
        _ => "it does not say why".to_owned(),
    }
}

/// The last in a chain of causes, which is the one that says something: `Connection refused`.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    plain(&last.to_string())
}

fn caa(name: &str, host: &str, detail: &str) -> String {
    format!("a CAA record does not allow {name} to sign for {host}: change the record ({detail})")
}

fn port(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Http01 => " on port 80",
        ChallengeKind::TlsAlpn01 => " on port 443",
        ChallengeKind::Dns01 => "",
    }
}

fn other_answer(kind: ChallengeKind) -> &'static str {
    match kind {
        ChallengeKind::Dns01 => "did not find our TXT record for",
        ChallengeKind::Http01 | ChallengeKind::TlsAlpn01 => "got an answer that is not this server's from",
    }
}

fn moment(wait: Duration) -> String {
    let at = OffsetDateTime::now_utc()
        .saturating_add(time::Duration::try_from(wait).unwrap_or(time::Duration::MAX));
    at.format(MOMENT).unwrap_or_default()
}
