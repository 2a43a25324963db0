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
    /// The certificate of a host: the exact one, else the wildcard one label above it.
    pub(crate) fn find(&self, host: &Host<'_>) -> Option<&Certificate> {
        self.exact.get(host.as_str()).or_else(|| self.wildcard.get(host.parent()?))
    }

    /// The host or wildcard whose certificate a host is answered with.
    pub(crate) fn pattern(&self, host: &Host<'_>) -> Option<HostPattern> {
        if self.exact.contains_key(host.as_str()) {
            return Some(HostPattern::Exact(host.as_str().to_owned()));
        }
        let parent = host.parent().filter(|parent| self.wildcard.contains_key(*parent))?;
        Some(HostPattern::Wildcard(parent.to_owned()))
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
