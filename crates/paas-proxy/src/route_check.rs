//! What the hosts, paths and redirects of a service must be before it is put, by themselves and beside the other services.

use std::collections::HashSet;

use http::uri::PathAndQuery;

use crate::{
    api::{HostRedirect, PathRoute, ServiceSpec},
    host::{Host, HostPattern},
    refusal::Refusal,
    router::Table,
    site::Found,
};

const MAX_PREFIX: usize = 1024;
const STATUSES: [u16; 4] = [301, 302, 307, 308];
/// Redirects from one to the next beyond which they are taken for a circle; browsers give up at about twenty.
const MAX_HOPS: usize = 10;

/// Checks what can be checked without the other services.
pub(crate) fn check_routes(spec: &ServiceSpec) -> Result<(), Refusal> {
    let mut hosts = HashSet::new();
    for host in &spec.hosts {
        hosts.insert(pattern(host)?.to_string());
    }
    for redirect in &spec.redirects {
        check_redirect(redirect)?;
        if !hosts.insert(pattern(&redirect.host)?.to_string()) {
            return Err(Refusal::invalid(format!(
                "the host {} is named twice, and can lead to one place only; name it once",
                redirect.host
            )));
        }
    }
    let mut paths = HashSet::new();
    for route in &spec.paths {
        check_prefix(&route.prefix)?;
        if !paths.insert((pattern(&route.host)?.to_string(), &route.prefix)) {
            return Err(Refusal::invalid(format!(
                "the path {} is named twice; name it once",
                written(route)
            )));
        }
    }
    Ok(())
}

/// Checks that hosts and paths are no other service's.
pub(crate) fn check_routes_against(spec: &ServiceSpec, table: &Table) -> Result<(), Refusal> {
    for host in spec.hosts.iter().chain(spec.redirects.iter().map(|redirect| &redirect.host)) {
        if let Some(owner) = table.owner(&pattern(host)?).filter(|owner| owner.spec.name != spec.name) {
            return Err(Refusal::host_taken(host, &owner.spec.name));
        }
    }
    for route in &spec.paths {
        let owner = table.owner_below(&pattern(&route.host)?, &route.prefix);
        if let Some(owner) = owner.filter(|owner| owner.spec.name != spec.name) {
            return Err(Refusal::path_taken(&written(route), &owner.spec.name));
        }
    }
    Ok(())
}

/// Checks that no redirect leads back to where it came from. Only a whole table can say that: what a wildcard's visitors find at
/// the end may be any other service's.
pub(crate) fn check_circles(spec: &ServiceSpec, table: &Table) -> Result<(), Refusal> {
    match spec.redirects.iter().find(|redirect| leads_in_a_circle(redirect, spec, table)) {
        Some(redirect) => Err(Refusal::redirect_circle(&redirect.host, &redirect.to)),
        None => Ok(()),
    }
}

/// Takes out the redirects that lead back to where they came from, and gives them. The rest of the service is good.
pub(crate) fn take_circles(spec: &mut ServiceSpec, table: &Table) -> Vec<HostRedirect> {
    let whole = spec.clone();
    spec.redirects.extract_if(.., |redirect| leads_in_a_circle(redirect, &whole, table)).collect()
}

fn pattern(host: &str) -> Result<HostPattern, Refusal> {
    HostPattern::parse(host).map_err(|_| Refusal::not_a_host(host))
}

fn written(route: &PathRoute) -> String {
    format!("{}{}", route.host, route.prefix)
}

fn check_redirect(redirect: &HostRedirect) -> Result<(), Refusal> {
    match HostPattern::parse(&redirect.to) {
        Ok(HostPattern::Exact(_)) => {}
        Ok(HostPattern::Wildcard(_)) | Err(_) => {
            return Err(Refusal::invalid(format!(
                "`{}` is no host to send visitors to; write a name such as example.com, without a port",
                redirect.to.escape_debug()
            )));
        }
    }
    if STATUSES.contains(&redirect.status) {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "{} is no status of a redirect; use 301 or 308 for good, 302 or 307 for now",
        redirect.status
    )))
}

/// A prefix that requests can have as browsers send them.
fn check_prefix(prefix: &str) -> Result<(), Refusal> {
    let segment_ok = |segment: &str| !matches!(segment, "" | "." | "..");
    let is_path = || PathAndQuery::try_from(prefix).is_ok_and(|parsed| parsed.path() == prefix);
    let segments = prefix.strip_prefix('/').unwrap_or_default();
    if prefix.len() <= MAX_PREFIX && prefix.is_ascii() && segments.split('/').all(segment_ok) && is_path() {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "`{}` cannot be a path to route by; write it as in /blog: with a slash before each segment, none at the end, and no query",
        prefix.chars().take(MAX_PREFIX).collect::<String>().escape_debug()
    )))
}

/// Follows redirects as a browser would, those of this service as they will be.
fn leads_in_a_circle(redirect: &HostRedirect, spec: &ServiceSpec, table: &Table) -> bool {
    let mut at = redirect.to.clone();
    for _ in 0..MAX_HOPS {
        let Ok(host) = Host::parse(&at) else { return false };
        match next(&host, spec, table) {
            Some(to) => at = to,
            None => return false,
        }
    }
    true
}

/// Where visitors of a host are sent; `None` when they stay, or nothing is known of the host.
fn next(host: &Host<'_>, spec: &ServiceSpec, table: &Table) -> Option<String> {
    let exact = HostPattern::Exact(host.as_str().to_owned());
    let wildcard = host.parent().map(|parent| HostPattern::Wildcard(parent.to_owned()));
    for wanted in std::iter::once(exact).chain(wildcard) {
        let is_it = |text: &String| HostPattern::parse(text).is_ok_and(|pattern| pattern == wanted);
        if spec.hosts.iter().any(is_it) {
            return None;
        }
        if let Some(own) = spec.redirects.iter().find(|own| is_it(&own.host)) {
            return Some(own.to.clone());
        }
        if table.owner(&wanted).is_some_and(|owner| owner.spec.name != spec.name) {
            return match table.find(host, "/") {
                Some(Found::Redirect(redirect)) => Some(redirect.to.clone()),
                _ => None,
            };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::*;
    use crate::{refusal::RefusalKind, router::Service};

    fn spec(name: &str, hosts: &[&str], redirects: &[(&str, &str)], paths: &[(&str, &str)]) -> ServiceSpec {
        let redirect =
            |&(host, to): &(&str, &str)| HostRedirect { host: host.into(), to: to.into(), status: 308 };
        let path = |&(host, prefix): &(&str, &str)| PathRoute {
            host: host.into(),
            prefix: prefix.into(),
            strip: false,
        };
        ServiceSpec {
            name: name.to_owned(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            redirects: redirects.iter().map(redirect).collect(),
            paths: paths.iter().map(path).collect(),
            ..ServiceSpec::default()
        }
    }

    fn table(specs: &[ServiceSpec]) -> Table {
        let service =
            |spec: &ServiceSpec| (spec.name.clone(), Arc::new(Service::new(spec.clone(), Vec::new(), None)));
        Table::new(1, specs.iter().map(service).collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn hosts_and_paths_are_named_once() {
        let both = [("a.test", "/x"), ("A.test", "/x/y"), ("*.a.test", "/x")];
        assert!(check_routes(&spec("s", &["a.test", "a.test"], &[("www.a.test", "a.test")], &both)).is_ok());
        for bad in [
            spec("s", &["a.test"], &[("A.test", "b.test")], &[]),
            spec("s", &[], &[("a.test", "b.test"), ("a.test", "c.test")], &[]),
            spec("s", &[], &[], &[("a.test", "/x"), ("A.test.", "/x")]),
            spec("s", &[], &[("a b", "b.test")], &[]),
            spec("s", &[], &[], &[("a b", "/x")]),
        ] {
            assert!(check_routes(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_prefix_is_whole_segments() {
        let checked = |prefix| check_routes(&spec("s", &[], &[], &[("a.test", prefix)]));
        for good in ["/x", "/x/y", "/x.y", "/%2F", "/~a;b=c", "/x:y@z"] {
            assert!(checked(good).is_ok(), "{good}");
        }
        for bad in ["", "/", "x", "/x/", "//x", "/x//y", "/x/./y", "/..", "/x?y", "/x#y", "/x y", "/é", "*"]
        {
            assert!(checked(bad).is_err(), "{bad}");
        }
        assert!(checked(&format!("/{}", "x".repeat(MAX_PREFIX))).is_err());
    }

    #[test]
    fn a_redirect_leads_to_a_host() {
        for to in ["", "*.b.test", "b.test:80", "https://b.test", "b.test/x"] {
            assert!(check_routes(&spec("s", &[], &[("a.test", to)], &[])).is_err(), "{to}");
        }
        for (status, ok) in [(301, true), (302, true), (307, true), (308, true), (303, false), (200, false)] {
            let mut spec = spec("s", &[], &[("a.test", "b.test")], &[]);
            spec.redirects[0].status = status;
            assert_eq!(check_routes(&spec).is_ok(), ok, "{status}");
        }
    }

    #[test]
    fn nothing_is_taken_from_another_service() {
        let others = table(&[
            spec("blog", &["a.test"], &[("www.a.test", "a.test")], &[("c.test", "/x")]),
            spec("shop", &["*.a.test"], &[], &[]),
        ]);
        let taken = |spec: &ServiceSpec| match check_routes_against(spec, &others) {
            Err(Refusal { kind: RefusalKind::HostTaken { host, service }, .. }) => Some((host, service)),
            Err(other) => panic!("{other:?}"),
            Ok(()) => None,
        };
        let by_blog = |host: &str| Some((host.to_owned(), "blog".to_owned()));
        assert_eq!(taken(&spec("new", &["A.test"], &[], &[])), by_blog("A.test"));
        assert_eq!(taken(&spec("new", &["www.a.test"], &[], &[])), by_blog("www.a.test"));
        assert_eq!(taken(&spec("new", &[], &[("a.test", "b.test")], &[])), by_blog("a.test"));
        assert_eq!(taken(&spec("new", &[], &[], &[("c.test", "/x")])), by_blog("c.test/x"));
        assert_eq!(
            taken(&spec("new", &["c.test", "b.a.test"], &[], &[("a.test", "/x"), ("*.a.test", "/x")])),
            None
        );
        assert_eq!(taken(&spec("blog", &["www.a.test"], &[("a.test", "b.test")], &[("c.test", "/x")])), None);
    }

    #[test]
    fn no_redirect_leads_in_a_circle() {
        let others = table(&[spec(
            "blog",
            &["c.test", "y.w.test"],
            &[("b.test", "a.test"), ("d.test", "c.test")],
            &[],
        )]);
        let circles = |redirects: &[(&str, &str)]| {
            check_circles(&spec("new", &["own.w.test"], redirects, &[]), &others).is_err()
        };
        assert!(circles(&[("a.test", "A.test")]));
        assert!(circles(&[("a.test", "b.test")]), "which leads back");
        assert!(circles(&[("x.test", "y.test"), ("y.test", "x.test")]));
        assert!(circles(&[("*.w.test", "z.w.test")]), "the star stands for it too");
        assert!(!circles(&[("*.w.test", "own.w.test")]));
        assert!(!circles(&[("*.w.test", "y.w.test")]));
        assert!(!circles(&[("a.test", "d.test"), ("x.test", "elsewhere.example")]));
    }
}
