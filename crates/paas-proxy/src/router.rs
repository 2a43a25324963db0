use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
};

use http::HeaderValue;

use crate::{
    api::{AccessLog, ServiceSpec, ServiceState, TargetProtocol},
    canary::Candidate,
    gate::Gates,
    hold::Waiting,
    host::{Host, HostPattern},
    records::ServiceRecords,
    site::{Found, Site},
    target::Target,
};

/// One service and the targets that receive its requests.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) spec: ServiceSpec,
    pub(crate) targets: Vec<Arc<Target>>,
    /// What its answers over HTTPS carry as `Strict-Transport-Security`.
    pub(crate) hsts: Option<HeaderValue>,
    /// What its requests must pass.
    pub(crate) gates: Gates,
    /// Another version for some of the visitors.
    pub(crate) candidate: Option<Candidate>,
    /// The requests that wait while it is held.
    pub(crate) waiting: Arc<Waiting>,
    /// Where its requests are counted and written down; the registry's.
    pub(crate) records: Option<Arc<ServiceRecords>>,
}

impl Service {
    /// `before` is the same service in the table so far: what it has learned of its visitors is taken over.
    pub(crate) fn new(spec: ServiceSpec, targets: Vec<Arc<Target>>, before: Option<&Self>) -> Self {
        let max_age = |seconds| HeaderValue::from_str(&format!("max-age={seconds}")).ok();
        let hsts = spec.https.hsts_seconds.and_then(max_age);
        let gates = Gates::new(&spec.policy, before.map(|before| (&before.spec.policy, &before.gates)));
        let waiting = before.map(|before| Arc::clone(&before.waiting)).unwrap_or_default();
        Self { spec, targets, hsts, gates, candidate: None, waiting, records: None }
    }

    /// Whether its requests are passed on and no more: nothing of what costs something is wanted.
    pub(crate) fn is_plain(&self) -> bool {
        let policy = &self.spec.policy;
        !(policy.sticky || policy.compression || policy.server_timing || self.candidate.is_some())
    }

    /// Whether a request without a body is passed on to a target over HTTP/1.1, and nothing else is asked or written down about it.
    pub(crate) fn only_passes_on(&self) -> bool {
        let Gates { allow, auth, trusted, pages: _ } = &self.gates;
        self.is_plain()
            && allow.is_none()
            && auth.is_none()
            && trusted.is_none()
            && self.spec.policy.access_log == AccessLog::Off
            && self.spec.state == ServiceState::Serving
            && self.targets.iter().all(|target| target.protocol == TargetProtocol::Http1)
    }

    /// Every target that receives its requests.
    pub(crate) fn all_targets(&self) -> impl Iterator<Item = &Arc<Target>> {
        self.targets.iter().chain(self.candidate.iter().flat_map(|candidate| &candidate.targets))
    }
}

/// Where a request leads, as it was decided when it came. It keeps to that service, whoever has the host meanwhile: it was checked
/// by that service's rules, and its path is as that service wants it.
#[derive(Debug)]
pub(crate) struct Route {
    generation: u64,
    pub(crate) service: Arc<Service>,
    /// The prefix of the path that the target does not get.
    pub(crate) strip: Option<HeaderValue>,
}

/// Which host and path lead to which service. Never changed: a command makes a new table and swaps it in whole.
#[derive(Debug, Default, Clone)]
pub(crate) struct Table {
    pub(crate) generation: u64,
    pub(crate) services: BTreeMap<String, Arc<Service>>,
    exact: HashMap<String, Site>,
    wildcard: HashMap<String, Site>,
}

impl Table {
    pub(crate) fn new(generation: u64, services: BTreeMap<String, Arc<Service>>) -> Self {
        let mut table = Self { generation, ..Self::default() };
        for service in services.into_values() {
            table.add(service);
        }
        table
    }

    /// Adds a service that has none of the hosts and paths of the others. Hosts that cannot be read are skipped: they were refused
    /// when the service was put.
    pub(crate) fn add(&mut self, service: Arc<Service>) {
        for host in &service.spec.hosts {
            self.with_site(host, |site| site.lead(&service));
        }
        for redirect in &service.spec.redirects {
            self.with_site(&redirect.host, |site| site.redirect(&service, redirect));
        }
        for route in &service.spec.paths {
            self.with_site(&route.host, |site| site.lead_below(&service, route));
        }
        self.services.insert(service.spec.name.clone(), service);
    }

    /// This table as the next one, without a service. The others stay as they are: a change of one costs little however many there
    /// are.
    pub(crate) fn without(&self, name: &str) -> Self {
        let mut next = Self { generation: self.generation + 1, ..self.clone() };
        let Some(service) = next.services.remove(name) else { return next };
        for host in service.spec.all_hosts() {
            let (sites, host) = match HostPattern::parse(host) {
                Ok(HostPattern::Exact(host)) => (&mut next.exact, host),
                Ok(HostPattern::Wildcard(parent)) => (&mut next.wildcard, parent),
                Err(_) => continue,
            };
            if sites.get_mut(&host).is_some_and(|site| !site.leave(&service)) {
                sites.remove(&host);
            }
        }
        next
    }

    fn with_site(&mut self, host: &str, change: impl FnOnce(&mut Site)) {
        match HostPattern::parse(host) {
            Ok(HostPattern::Exact(host)) => change(self.exact.entry(host).or_default()),
            Ok(HostPattern::Wildcard(parent)) => change(self.wildcard.entry(parent).or_default()),
            Err(_) => {}
        }
    }

    /// Where a host and a path lead: by the exact host, else by the wildcard one label above it.
    pub(crate) fn find(&self, host: &Host<'_>, path: &str) -> Option<Found<'_>> {
        self.exact
            .get(host.as_str())
            .and_then(|site| site.find(path))
            .or_else(|| self.wildcard.get(host.parent()?)?.find(path))
    }

    /// Whether any service believes what this address says of visitors. Looks at all of them.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let trusted = |service: &Arc<Service>| {
            service.gates.trusted.as_ref().is_some_and(|trusted| trusted.contains(address))
        };
        self.services.values().any(trusted)
    }

    /// Remembers where a request leads.
    pub(crate) fn route(&self, service: &Arc<Service>, strip: Option<&HeaderValue>) -> Route {
        Route { generation: self.generation, service: Arc::clone(service), strip: strip.cloned() }
    }

    /// The service of a route that was found in this or an earlier table; `None` when it is gone.
    pub(crate) fn again<'a>(&'a self, route: &'a Route) -> Option<&'a Arc<Service>> {
        if route.generation == self.generation {
            return Some(&route.service);
        }
        self.services.get(&route.service.spec.name)
    }

    /// The service that has this very host or wildcard, for itself or to lead away from it.
    pub(crate) fn owner(&self, pattern: &HostPattern) -> Option<&Arc<Service>> {
        self.site(pattern)?.owner()
    }

    /// The service that has this very path of this very host or wildcard.
    pub(crate) fn owner_below(&self, pattern: &HostPattern, prefix: &str) -> Option<&Arc<Service>> {
        self.site(pattern)?.owner_below(prefix)
    }

    fn site(&self, pattern: &HostPattern) -> Option<&Site> {
        match pattern {
            HostPattern::Exact(host) => self.exact.get(host),
            HostPattern::Wildcard(parent) => self.wildcard.get(parent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PathRoute;

    /// A host with a path behind it is a path route.
    fn table(services: &[(&str, &[&str])]) -> Table {
        let service = |name: &str, hosts: &[&str]| {
            let (paths, hosts): (Vec<&str>, Vec<&str>) = hosts.iter().partition(|host| host.contains('/'));
            let path = |path: &str| {
                let (host, prefix) = path.split_at(path.find('/').unwrap());
                PathRoute { host: host.to_owned(), prefix: prefix.to_owned(), strip: false }
            };
            let paths = paths.into_iter().map(path).collect();
            let hosts = hosts.into_iter().map(str::to_owned).collect();
            let spec = ServiceSpec {
                name: name.to_owned(),
                hosts,
                paths,
                targets: Vec::new(),
                state: ServiceState::Serving,
                ..ServiceSpec::default()
            };
            (name.to_owned(), Arc::new(Service::new(spec, Vec::new(), None)))
        };
        Table::new(1, services.iter().map(|(name, hosts)| service(name, hosts)).collect())
    }

    #[test]
    fn who_is_trusted_by_any_service_is_trusted_to_bring_many() {
        let spec = |name: &str, trusted: &[&str]| {
            let mut spec = ServiceSpec { name: name.to_owned(), ..ServiceSpec::default() };
            spec.policy.trusted_proxies = trusted.iter().map(|range| range.parse().unwrap()).collect();
            (name.to_owned(), Arc::new(Service::new(spec, Vec::new(), None)))
        };
        let table = Table::new(1, [spec("blog", &[]), spec("shop", &["192.0.2.0/24"])].into());
        assert!(table.trusts([192, 0, 2, 9].into()) && !table.trusts([192, 0, 3, 9].into()));
    }

    fn find<'a>(table: &'a Table, host: &str) -> Option<&'a str> {
        find_below(table, host, "/")
    }

    fn find_below<'a>(table: &'a Table, host: &str, path: &str) -> Option<&'a str> {
        table.find(&Host::parse(host).unwrap(), path).map(|found| found.service().spec.name.as_str())
    }

    #[test]
    fn exact_wins_over_wildcard() {
        let table = table(&[("all", &["*.example.com"]), ("blog", &["Blog.example.com"])]);
        assert_eq!(find(&table, "BLOG.example.com.:80"), Some("blog"));
        assert_eq!(find(&table, "shop.example.com"), Some("all"));
    }

    #[test]
    fn a_service_leaves_nothing_behind_and_takes_nothing_from_others() {
        let table =
            table(&[("one", &["a.b", "*.a.b", "shared.b"]), ("two", &["c.b", "shared.b/two", "a.b/two"])]);
        let next = table.without("one");
        assert_eq!(next.generation, table.generation + 1);
        assert_eq!(find(&next, "a.b"), None);
        assert_eq!(find(&next, "x.a.b"), None);
        assert_eq!(find_below(&next, "a.b", "/two/x"), Some("two"));
        assert_eq!(find(&next, "c.b"), Some("two"));
        let last = next.without("two");
        assert!(last.exact.is_empty() && last.wildcard.is_empty() && last.services.is_empty());
        assert_eq!(find(&table, "a.b"), Some("one"), "the table before is untouched");
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

    #[test]
    fn a_prefix_takes_whole_segments_byte_for_byte() {
        let table = table(&[("site", &["a.test"]), ("blog", &["a.test/blog"])]);
        for path in ["/blog", "/blog/", "/blog/x", "/blog//x", "/blog/../x"] {
            assert_eq!(find_below(&table, "a.test", path), Some("blog"), "{path}");
        }
        for path in ["/", "*", "/blogs", "/Blog", "/%62log", "/x/blog", "/blo"] {
            assert_eq!(find_below(&table, "a.test", path), Some("site"), "{path}");
        }
    }

    #[test]
    fn the_longest_prefix_wins_whatever_the_order() {
        let table = table(&[
            ("a", &["a.test/x"]),
            ("b", &["a.test/x/y/z"]),
            ("c", &["a.test/x/y"]),
            ("site", &["a.test"]),
        ]);
        for (path, service) in
            [("/x", "a"), ("/x/q", "a"), ("/x/y", "c"), ("/x/yy", "a"), ("/x/y/z/1", "b"), ("/q", "site")]
        {
            assert_eq!(find_below(&table, "a.test", path), Some(service), "{path}");
        }
    }

    #[test]
    fn the_nearer_host_goes_before_the_longer_path() {
        let table = table(&[
            ("all", &["*.a.test"]),
            ("deep", &["*.a.test/x/y"]),
            ("near", &["n.a.test/x"]),
            ("own", &["o.a.test"]),
        ]);
        assert_eq!(find_below(&table, "n.a.test", "/x/y"), Some("near"));
        assert_eq!(find_below(&table, "n.a.test", "/x-y"), Some("all"), "no path of its own takes it");
        assert_eq!(find_below(&table, "m.a.test", "/x/y"), Some("deep"));
        assert_eq!(find_below(&table, "o.a.test", "/x/y"), Some("own"));
    }

    #[test]
    fn a_path_needs_no_service_for_the_rest_of_its_host() {
        let table = table(&[("blog", &["a.test/blog"])]);
        assert_eq!(find_below(&table, "a.test", "/blog"), Some("blog"));
        assert_eq!(find_below(&table, "a.test", "/"), None);
    }
}
