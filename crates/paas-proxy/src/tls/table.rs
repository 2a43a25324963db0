use std::{collections::HashMap, sync::Arc};

use super::certificate::Certificate;
use crate::host::{Host, HostPattern};

/// Which name is answered with which certificate. Never changed: a command makes a new table and swaps it in whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct CertificateTable {
    exact: HashMap<Arc<str>, Certificate>,
    /// By what follows `*.`.
    wildcard: HashMap<Arc<str>, Certificate>,
}

impl CertificateTable {
    /// The certificate of a host: the exact one, else the wildcard one label above it. A wildcard that browsers accept goes before an
    /// exact one that they do not.
    pub(crate) fn find(&self, host: &Host<'_>) -> Option<&Certificate> {
        match (self.exact.get(host.as_str()), self.above(host)) {
            (Some(exact), Some(wildcard)) if !exact.is_accepted() && wildcard.is_accepted() => Some(wildcard),
            (exact, wildcard) => exact.or(wildcard),
        }
    }

    fn above(&self, host: &Host<'_>) -> Option<&Certificate> {
        self.wildcard.get(host.parent()?)
    }

    /// The certificate put for this very host or wildcard.
    pub(crate) fn get(&self, pattern: &HostPattern) -> Option<&Certificate> {
        match pattern {
            HostPattern::Exact(host) => self.exact.get(host.as_str()),
            HostPattern::Wildcard(parent) => self.wildcard.get(parent.as_str()),
        }
    }

    pub(crate) fn insert(&mut self, pattern: HostPattern, certificate: Certificate) {
        match pattern {
            HostPattern::Exact(host) => self.exact.insert(host.into(), certificate),
            HostPattern::Wildcard(parent) => self.wildcard.insert(parent.into(), certificate),
        };
    }

    pub(crate) fn remove(&mut self, pattern: &HostPattern) {
        match pattern {
            HostPattern::Exact(host) => self.exact.remove(host.as_str()),
            HostPattern::Wildcard(parent) => self.wildcard.remove(parent.as_str()),
        };
    }

    /// Every certificate and the host it was put for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (HostPattern, &Certificate)> {
        let exact = self.exact.iter().map(|(host, found)| (HostPattern::Exact(host.to_string()), found));
        let wildcard =
            self.wildcard.iter().map(|(parent, found)| (HostPattern::Wildcard(parent.to_string()), found));
        exact.chain(wildcard)
    }

    pub(crate) fn len(&self) -> usize {
        self.exact.len() + self.wildcard.len()
    }
}
