use paas_control::wire::{CertificateInfo, CertificateState};
use paas_domain::Hostname;

use super::{line, time};
use crate::error::CliError;

/// State, issuer, days left, next try.
pub(crate) fn certificate_cells(certificate: &CertificateInfo) -> [String; 4] {
    let state = match certificate.state {
        CertificateState::Valid => "valid",
        CertificateState::Trial => "trial",
        CertificateState::Own => "own",
        CertificateState::Ordering => "ordering",
        CertificateState::Failing => "failing",
    };
    let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
    [
        state.to_owned(),
        or_none(certificate.issuer.clone()),
        or_none(certificate.days_left.map(|days| days.to_string())),
        or_none(certificate.next_try.map(time)),
    ]
}

/// What there is to say about the names, one line each.
pub(crate) fn print_sentences<'a>(
    names: impl Iterator<Item = (&'a Hostname, &'a CertificateInfo)>,
) -> Result<(), CliError> {
    let mut sentences =
        names.filter_map(|(host, info)| info.sentence.as_ref().map(|text| (host, text))).peekable();
    if sentences.peek().is_some() {
        line("")?;
    }
    sentences.try_for_each(|(host, text)| line(&format!("{host}: {}", super::inert(text))))
}

/// `a.example.org, b.example.org are`.
pub(crate) fn are_or_is(names: &[Hostname]) -> String {
    let all: Vec<&str> = names.iter().map(Hostname::as_str).collect();
    format!("{} {}", all.join(", "), if all.len() == 1 { "is" } else { "are" })
}
