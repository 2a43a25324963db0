use paas_domain::{AppId, Hostname};
use paas_store::{AddedCertificate, Certificate, CertificateSource, Validity};

/// Before its end another certificate takes over, in seconds: visitors' clocks differ, and so does when we look.
pub(crate) const LAST_HOUR: i64 = 60 * 60;

/// All certificates the store has.
#[derive(Debug)]
pub(crate) struct Stock {
    pub(crate) ours: Vec<Certificate>,
    pub(crate) added: Vec<AddedCertificate>,
}

/// The certificate a name is served with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice<'a> {
    Added(&'a AddedCertificate),
    Ours(&'a Certificate),
}

impl Stock {
    /// The name's certificate from that source.
    pub(crate) fn find(&self, host: &Hostname, source: CertificateSource) -> Option<&Certificate> {
        // By name and then by source, as the store lists them.
        let place =
            self.ours.binary_search_by(|found| (&found.hostname, found.source).cmp(&(host, source))).ok()?;
        self.ours.get(place)
    }

    /// The app's own certificate for the name that is good for longest.
    pub(crate) fn added_for(&self, host: &Hostname, app: Option<AppId>) -> Option<&AddedCertificate> {
        let app = app?;
        let fits = |one: &&AddedCertificate| {
            one.app == app && host.is_covered_by(one.names.iter().map(String::as_str))
        };
        self.added.iter().filter(fits).max_by_key(|one| one.validity.not_after)
    }

    /// What people brought wins over what we got, and that over what we made ourselves; what ends within the hour comes last.
    pub(crate) fn choose(&self, host: &Hostname, app: Option<AppId>, now: i64) -> Option<Choice<'_>> {
        let ours = |source| self.find(host, source).map(Choice::Ours);
        let candidates = [
            self.added_for(host, app).map(Choice::Added),
            ours(CertificateSource::Acme),
            ours(CertificateSource::Own),
        ];
        let mut candidates: Vec<Choice<'_>> = candidates.into_iter().flatten().collect();
        candidates.sort_by_key(|choice| !is_good(choice.validity(), now + LAST_HOUR));
        candidates.first().copied()
    }
}

impl Choice<'_> {
    pub(crate) fn validity(&self) -> &Validity {
        match self {
            Self::Added(added) => &added.validity,
            Self::Ours(certificate) => &certificate.validity,
        }
    }

    /// Whether visitors' browsers trust it, as far as we know.
    pub(crate) fn is_trusted(&self) -> bool {
        match self {
            Self::Added(_) => true,
            Self::Ours(certificate) => certificate.trusted,
        }
    }
}

/// Whether it is good at that time. Nobody signs for the future, so one whose time has not come tells of a clock that is behind, and is as
/// good for visitors, whose clocks are right.
pub(crate) fn is_good(validity: &Validity, now: i64) -> bool {
    now < validity.not_after
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    fn validity(fingerprint: &str, not_after: i64) -> Validity {
        Validity { fingerprint: fingerprint.into(), issuer: "A".into(), not_before: 0, not_after }
    }

    fn ours(name: &str, source: CertificateSource, not_after: i64) -> Certificate {
        Certificate {
            hostname: Hostname::new(name).unwrap(),
            source,
            directory: (source == CertificateSource::Acme).then(|| "https://acme.example".to_owned()),
            validity: validity(&format!("{name} {source:?}"), not_after * DAY),
            obtained_at: 0,
            trusted: source == CertificateSource::Acme,
            advice: None,
        }
    }

    fn chosen(stock: &Stock, now: i64) -> Option<String> {
        let host = Hostname::new("www.example.org").unwrap();
        stock.choose(&host, Some(AppId(1)), now * DAY).map(|choice| choice.validity().fingerprint.clone())
    }

    #[test]
    fn the_best_that_is_good_now_is_chosen() {
        let added = |id, app, names: &[&str], not_after| AddedCertificate {
            id,
            app: AppId(app),
            names: names.iter().map(ToString::to_string).collect(),
            validity: validity(&format!("added {id}"), not_after * DAY),
        };
        let mut stock = Stock {
            ours: vec![
                ours("www.example.org", CertificateSource::Acme, 200),
                ours("www.example.org", CertificateSource::Own, 300),
                ours("zzz.example.org", CertificateSource::Own, 300),
            ],
            added: vec![
                added(1, 1, &["*.example.org"], 50),
                added(2, 1, &["www.example.org"], 100),
                added(3, 2, &["www.example.org"], 900),
                added(4, 1, &["example.org"], 900),
            ],
        };
        assert_eq!(chosen(&stock, 10).as_deref(), Some("added 2"));
        assert_eq!(chosen(&stock, 150).as_deref(), Some("www.example.org Acme"));
        assert_eq!(chosen(&stock, 250).as_deref(), Some("www.example.org Own"));
        assert_eq!(chosen(&stock, 999).as_deref(), Some("added 2"), "nothing is good: the best wins");
        stock.ours.clear();
        stock.added.clear();
        assert_eq!(chosen(&stock, 10), None);
    }
}
