use paas_domain::{AppId, Hostname};
use paas_store::{CertificateSource, StoreError};
use time::OffsetDateTime;

use crate::{
    choice::{Choice, is_good},
    keeper::{Keeper, View},
    plan::{Signable, due, step_in_at, time},
};

/// The preflight's word for a name of a network that no public authority reaches.
const PRIVATE_ADDRESS: &str = "private_address";

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameState {
    /// It has a certificate that visitors' browsers trust.
    Valid,
    /// It has a certificate of trials, which browsers do not trust.
    Trial,
    /// It has one of the server's own authority, and will not get another.
    Own,
    /// A certificate is being got for the first time.
    Ordering,
    /// The last try failed; until the next the server's own authority stands in.
    Failing,
}

/// What there is to say about a name's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameStatus {
    /// The name.
    pub host: Hostname,
    /// The app it leads to; none for the server's own name.
    pub app: Option<AppId>,
    /// Where it stands.
    pub state: NameState,
    /// Who signed the certificate in use.
    pub issuer: Option<String>,
    /// When the certificate in use ends.
    pub not_after: Option<OffsetDateTime>,
    /// When the next order is tried, or the certificate renewed.
    pub next_try: Option<OffsetDateTime>,
    /// For programs: the kind of problem.
    pub problem: Option<String>,
    /// For people: what is wrong and what to change, or why it is as it is.
    pub sentence: Option<String>,
}

impl Keeper {
    /// Where every name stands, by name.
    pub fn status(&self) -> Result<Vec<NameStatus>, StoreError> {
        let view = self.view()?;
        let now = self.clock.now().unix_timestamp();
        Ok(view.names.iter().map(|(host, app)| self.name_status(&view, host, *app, now)).collect())
    }

    fn name_status(&self, view: &View, host: &Hostname, app: Option<AppId>, now: i64) -> NameStatus {
        let choice = view.stock.choose(host, app, now);
        let good = choice.filter(|choice| is_good(choice.validity(), now));
        let is_trusted = good.is_some_and(|choice| choice.is_trusted());
        let acme = view.stock.find(host, CertificateSource::Acme).filter(|acme| is_good(&acme.validity, now));
        let tries = view.tries.get(host);
        // What once went wrong is of no interest while a certificate that people brought is in use.
        let added = match good {
            Some(Choice::Added(added)) => Some(added),
            _ => None,
        };
        let problem = tries.and_then(|tries| tries.problem.as_ref()).filter(|_| added.is_none());
        let signable = self.signable(host);
        let state = match (&signable, problem) {
            _ if is_trusted => NameState::Valid,
            (Signable::No(_), _) => NameState::Own,
            (_, Some(problem)) if problem.kind == PRIVATE_ADDRESS => NameState::Own,
            _ if acme.is_some() => NameState::Trial,
            (Signable::Yes, Some(_)) if !self.is_running(host) => NameState::Failing,
            (Signable::Yes, _) => NameState::Ordering,
        };
        let next_try = match (state, tries, acme) {
            _ if added.is_some() => added.map(step_in_at),
            (NameState::Ordering, ..) | (_, None, None) => None,
            (_, Some(tries), None) => Some(tries.next_try),
            (_, tries, Some(acme)) => Some(due(acme, host).max(tries.map_or(0, |tries| tries.next_try))),
        };
        let sentence = match (state, signable) {
            (NameState::Own, Signable::No(reason)) => Some(stands_in(&reason)),
            (NameState::Own, Signable::Yes) => problem.map(|problem| stands_in(&problem.sentence)),
            (NameState::Trial, _) => {
                Some("signed by an authority for trials, which browsers do not trust".to_owned())
            }
            (NameState::Valid, _) => problem.map(|problem| {
                format!("it could not be renewed; the present one serves on: {}", problem.sentence)
            }),
            _ => problem.map(|problem| problem.sentence.clone()),
        };
        NameStatus {
            host: host.clone(),
            app,
            state,
            issuer: choice.map(|choice| choice.validity().issuer.clone()),
            not_after: choice.map(|choice| time(choice.validity().not_after)),
            next_try: next_try.map(time),
            problem: problem.filter(|_| state != NameState::Own).map(|problem| problem.kind.clone()),
            sentence,
        }
    }
}

fn stands_in(reason: &str) -> String {
    format!("{reason}; HTTPS uses this server's own authority, whose root `paas certs:ca` prints")
}
