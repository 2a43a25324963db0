use paas_acme::{CertificateFacts, OwnAuthority};
use paas_domain::Hostname;
use paas_store::{Certificate, CertificateSource, Pair, Store, Validity};
use time::OffsetDateTime;

use crate::keeper::KeepError;

/// The server's own authority, made when there is none yet.
pub(crate) fn authority(store: &Store, domain: &str, now: OffsetDateTime) -> Result<OwnAuthority, KeepError> {
    let found = store.own_authority()?;
    if let Some(pair) = found.as_ref().filter(|pair| is_valid(&pair.chain, now)) {
        return Ok(OwnAuthority::load(&pair.chain, &pair.key)?);
    }
    let made = OwnAuthority::generate(domain, now)?;
    let pair = Pair { chain: made.certificate_pem().to_owned(), key: made.key_pem().clone() };
    store.save_own_authority(&pair, found.as_ref())?;
    // Two may make one at the same time: the one that is stored is the server's.
    if let Some(first) = store.own_authority()?.filter(|stored| *stored != pair) {
        return Ok(OwnAuthority::load(&first.chain, &first.key)?);
    }
    tracing::info!("made the server's own certificate authority");
    Ok(made)
}

/// A root that was made while the clock was wrong, or that has ended, signs nothing that anybody accepts.
fn is_valid(root: &str, now: OffsetDateTime) -> bool {
    CertificateFacts::read(root).is_ok_and(|root| root.not_before <= now && now < root.not_after)
}

/// Signs a certificate for the name and keeps it.
pub(crate) fn issue(
    store: &Store,
    authority: &OwnAuthority,
    host: &Hostname,
    now: OffsetDateTime,
) -> Result<(), KeepError> {
    let issued = authority.issue(host, now)?;
    let facts = CertificateFacts::read(&issued.chain)?;
    let certificate = Certificate {
        hostname: host.clone(),
        source: CertificateSource::Own,
        directory: None,
        validity: validity(&facts),
        obtained_at: now.unix_timestamp(),
        trusted: false,
        advice: None,
    };
    store.put_certificate(&certificate, &Pair { chain: issued.chain, key: issued.key })?;
    Ok(())
}

/// What the store keeps of what a certificate says.
pub(crate) fn validity(facts: &CertificateFacts) -> Validity {
    Validity {
        fingerprint: facts.fingerprint.clone(),
        issuer: facts.issuer.clone(),
        not_before: facts.not_before.unix_timestamp(),
        not_after: facts.not_after.unix_timestamp(),
    }
}
