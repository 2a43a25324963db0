//! CAA records (RFC 8659), with the validation methods of RFC 8657 §4.

use hickory_resolver::proto::rr::rdata::CAA;
use paas_domain::Hostname;

use super::Obstacle;
use crate::{
    ChallengeKind,
    dns::{Dns, NoAnswer},
    text::plain,
};

/// What the records allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Every way.
    Every,
    /// These ways; the obstacle says why the others are not.
    Only { methods: Vec<String>, otherwise: Box<Refusal> },
}

/// The record that forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    host: Hostname,
    owner: String,
    record: String,
    missing: String,
}

impl Allowed {
    /// Keeps the ways that are allowed; an obstacle when none is.
    pub(crate) fn narrow(self, kinds: Vec<ChallengeKind>) -> Result<Vec<ChallengeKind>, Obstacle> {
        let Self::Only { methods, otherwise } = self else { return Ok(kinds) };
        let kept: Vec<ChallengeKind> =
            kinds.into_iter().filter(|kind| methods.iter().any(|method| method == kind.as_str())).collect();
        if kept.is_empty() { Err((*otherwise).into()) } else { Ok(kept) }
    }
}

impl From<Refusal> for Obstacle {
    fn from(refusal: Refusal) -> Self {
        let Refusal { host, owner, record, missing } = refusal;
        Self::Caa { host, owner, record, missing }
    }
}

/// Climbs from the name to the first records there are (RFC 8659 §3) and reads them for an authority that goes by these names.
pub(crate) async fn check(dns: &Dns, host: &Hostname, identities: &[String]) -> Result<Allowed, Obstacle> {
    let mut name = host.as_str().trim_start_matches("*.");
    loop {
        match dns.caa(name).await {
            Ok(records) if !records.is_empty() => return read(host, name, &records, identities),
            Err(NoAnswer::Failed) => {
                return Err(Obstacle::CaaUnknown { host: host.clone(), owner: name.to_owned() });
            }
            // A resolver that knows no CAA says nothing about what the authority will find.
            Err(NoAnswer::Silent) => return Ok(Allowed::Every),
            Ok(_) | Err(NoAnswer::NoRecord | NoAnswer::NoSuchName) => {}
        }
        match name.split_once('.') {
            Some((_, above)) => name = above,
            None => return Ok(Allowed::Every),
        }
    }
}

fn read(host: &Hostname, owner: &str, records: &[CAA], identities: &[String]) -> Result<Allowed, Obstacle> {
    let refusal = |record: &CAA, tag: &str| Refusal {
        host: host.clone(),
        owner: owner.to_owned(),
        record: shown(record),
        missing: format!("0 {tag} \"{}\"", identities.first().map_or("the authority's name", String::as_str)),
    };
    if let Some(unknown) = records.iter().find(|record| record.issuer_critical && !is_known(&record.tag)) {
        return Err(refusal(unknown, "issue").into());
    }
    let (tag, relevant) = relevant(records, host.is_wildcard());
    let Some(first) = relevant.first() else { return Ok(Allowed::Every) };
    let issuers: Vec<Issuer> = relevant.iter().map(|record| Issuer::read(&record.value)).collect();
    let ours: Vec<&Issuer> = issuers.iter().filter(|issuer| issuer.is_one_of(identities)).collect();
    if ours.is_empty() {
        return Err(refusal(first, tag).into());
    }
    if ours.iter().any(|issuer| issuer.methods.is_empty()) {
        return Ok(Allowed::Every);
    }
    let methods = ours.iter().flat_map(|issuer| issuer.methods.clone()).collect();
    Ok(Allowed::Only { methods, otherwise: Box::new(refusal(first, tag)) })
}

/// For a wildcard the `issuewild` records count where there are any (RFC 8659 §4.3).
fn relevant(records: &[CAA], wildcard: bool) -> (&'static str, Vec<&CAA>) {
    let with =
        |tag: &str| records.iter().filter(|record| record.tag.eq_ignore_ascii_case(tag)).collect::<Vec<_>>();
    let wild = if wildcard { with("issuewild") } else { Vec::new() };
    if wild.is_empty() { ("issue", with("issue")) } else { ("issuewild", wild) }
}

/// Tags without a meaning for an authority that checks names are known too.
fn is_known(tag: &str) -> bool {
    ["issue", "issuewild", "iodef", "contactemail", "contactphone", "issuemail", "issuevmc"]
        .iter()
        .any(|known| tag.eq_ignore_ascii_case(known))
}

fn shown(record: &CAA) -> String {
    let flags = if record.issuer_critical { 128 } else { 0 };
    plain(&format!("{flags} {} \"{}\"", record.tag, String::from_utf8_lossy(&record.value)))
}

/// The value of an `issue` record (RFC 8659 §4.2): who may, and how.
struct Issuer {
    domain: String,
    methods: Vec<String>,
}

impl Issuer {
    fn read(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        let mut parts = text.split(';').map(str::trim);
        let domain = parts.next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let methods = parts
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(tag, _)| tag.trim().eq_ignore_ascii_case("validationmethods"))
            .flat_map(|(_, methods)| methods.split(','))
            .map(|method| method.trim().to_ascii_lowercase());
        Self { domain, methods: methods.collect() }
    }

    /// An authority whose names we do not know is taken for any that is named.
    fn is_one_of(&self, identities: &[String]) -> bool {
        let named = !self.domain.is_empty();
        named && (identities.is_empty() || identities.contains(&self.domain))
    }
}
