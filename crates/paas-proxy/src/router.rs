use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use http::HeaderValue;

use crate::{
    api::ServiceSpec,
    host::{Host, HostPattern},
    target::Target,
};

/// One service and the targets that receive its requests.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) spec: ServiceSpec,
    pub(crate) targets: Vec<Arc<Target>>,
    /// What its answers over HTTPS carry as `Strict-Transport-Security`.
    pub(crate) hsts: Option<HeaderValue>,
}

impl Service {
    pub(crate) fn new(spec: ServiceSpec, targets: Vec<Arc<Target>>) -> Self {
        let max_age = |seconds| HeaderValue::from_str(&format!("max-age={seconds}")).ok();
        let hsts = spec.https.hsts_seconds.and_then(max_age);
        Self { spec, targets, hsts }
    }
}

/// Which host leads to which service. Never changed: a command makes a new table and swaps it in whole.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) generation: u64,
    pub(crate) services: BTreeMap<String, Arc<Service>>,
    exact: HashMap<String, Arc<Service>>,
    wildcard: HashMap<String, Arc<Service>>,
}

impl Table {
    /// Hosts that cannot be read are skipped: they were refused when the service was put.
    pub(crate) fn new(generation: u64, services: BTreeMap<String, Arc<Service>>) -> Self {
        let mut table = Self { generation, ..Self::default() };
        for service in services.values() {
            for host in &service.spec.hosts {
                match HostPattern::parse(host) {
                    Ok(HostPattern::Exact(host)) => table.exact.insert(host, Arc::clone(service)),
                    Ok(HostPattern::Wildcard(parent)) => table.wildcard.insert(parent, Arc::clone(service)),
                    Err(_) => None,
                };
            }
        }
        table.services = services;
        table
    }

    /// The service of a host: the exact one, else the wildcard one label above it.
    pub(crate) fn find(&self, host: &Host<'_>) -> Option<&Arc<Service>> {
        self.exact.get(host.as_str()).or_else(|| self.wildcard.get(host.parent()?))
    }

    /// The service that has this very host or wildcard.
    pub(crate) fn owner(&self, pattern: &HostPattern) -> Option<&Arc<Service>> {
        match pattern {
            HostPattern::Exact(host) => self.exact.get(host),
            HostPattern::Wildcard(parent) => self.wildcard.get(parent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{HttpsPolicy, ServiceState};

    fn table(services: &[(&str, &[&str])]) -> Table {
        let service = |name: &str, hosts: &[&str]| {
            let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
            let spec = ServiceSpec {
                name: name.to_owned(),
                hosts,
                targets: Vec::new(),
                state: ServiceState::Serving,
                https: HttpsPolicy::default(),
            };
            (name.to_owned(), Arc::new(Service::new(spec, Vec::new())))
        };
        Table::new(1, services.iter().map(|(name, hosts)| service(name, hosts)).collect())
    }

    fn find<'a>(table: &'a Table, host: &str) -> Option<&'a str> {
        table.find(&Host::parse(host).unwrap()).map(|service| service.spec.name.as_str())
    }

    #[test]
    fn exact_wins_over_wildcard() {
        let table = table(&[("all", &["*.example.com"]), ("blog", &["Blog.example.com"])]);
        assert_eq!(find(&table, "BLOG.example.com.:80"), Some("blog"));
        assert_eq!(find(&table, "shop.example.com"), Some("all"));
    }

    #[test]
    fn a_wildcard_is_exactly_one_label() {
        let table = table(&[("all", &["*.example.com"])]);
        assert_eq!(find(&table, "example.com"), None);
        assert_eq!(find(&table, "a.b.example.com"), None);
        assert_eq!(find(&table, "badexample.com"), None);
    }

    #[test]
    fn addresses_are_found() {
        let table = table(&[("six", &["[::1]"]), ("four", &["127.0.0.1"])]);
        assert_eq!(find(&table, "[0::1]:8080"), Some("six"));
        assert_eq!(find(&table, "127.0.0.1:8080"), Some("four"));
    }
}
