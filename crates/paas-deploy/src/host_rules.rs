//! What is done at an app's hostnames: what commands say, and what paas.toml says of hostnames that the app has. A repository claims none.

use std::collections::HashSet;

use paas_domain::{AppName, Declared, Hostname, PathRoute, Redirect, RoutePath};
use paas_proxy::HostRedirect;
use paas_store::{App, FrontDoor, StoreError};

use crate::deployer::Deployer;

/// Who says what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A command.
    Command,
    /// The repository.
    Manifest,
}

/// What is in force at an app's hostnames, and what of paas.toml is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostRules {
    /// The hostnames that lead to the app whole, its own name first.
    pub hosts: Vec<Hostname>,
    /// Those it redirects, by name.
    pub redirects: Vec<(Redirect, Origin)>,
    /// Paths of hostnames that lead to it, by name.
    pub routes: Vec<(PathRoute, Origin)>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// Something that paas.toml says and that is not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeftOut {
    /// A redirect of a hostname that the app does not have.
    ForeignRedirect(Redirect),
    /// A redirect to where a command redirects back from.
    Circle(Redirect),
    /// A path of a hostname that the app does not have.
    ForeignRoute(PathRoute),
    /// A path at or below one that another app has by command.
    Covered(PathRoute, PathRoute),
}

impl LeftOut {
    /// It and the command that helps, for whoever pushes to that app.
    pub(crate) fn sentence(&self, app: &AppName) -> String {
        match self {
            Self::ForeignRedirect(Redirect { host, to, .. }) => format!(
                "the redirect from {host} to {to} in paas.toml is not in force: {host} is no hostname of {app}; `paas domains:add {app} {host}` makes it one"
            ),
            Self::Circle(Redirect { host, to, .. }) => format!(
                "the redirect from {host} to {to} in paas.toml is not in force: a command leads from {to} back to {host}; `paas redirects {app}` shows which"
            ),
            Self::ForeignRoute(route) => format!(
                "the route {route} in paas.toml is not in force: {} is no hostname of {app}; `paas routes:add {app} {route}{}` leads it here",
                route.host,
                if route.strip { " --strip" } else { "" }
            ),
            Self::Covered(route, other) => format!(
                "the route {route} in paas.toml is not in force: {other} leads to another app by command; `paas routes:remove` there makes way for it"
            ),
        }
    }
}

/// What other apps have by command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Others {
    /// Paths.
    routes: Vec<PathRoute>,
    /// The hostname of this app's own name, from a time when the server's domain was another. A repository says nothing of it.
    own_name: Option<Hostname>,
}

impl HostRules {
    /// `hosts` are the app's own. A command wins over the file, also another app's: a file takes no path from anybody.
    pub(crate) fn new(hosts: &[Hostname], door: &FrontDoor, others: &Others, declared: &Declared) -> Self {
        let mut rules = Self::default();
        rules.redirects.extend(door.redirects.iter().cloned().map(|redirect| (redirect, Origin::Command)));
        rules.routes.extend(door.routes.iter().cloned().map(|route| (route, Origin::Command)));
        let is_own = |host: &Hostname| hosts.contains(host) && others.own_name.as_ref() != Some(host);
        for redirect in &declared.redirects {
            if !rules.redirects_host(&redirect.host) {
                rules.add_redirect(redirect, is_own(&redirect.host));
            }
        }
        let has = |host: &Hostname| is_own(host) || door.redirects.iter().any(|one| one.host == *host);
        let served: Vec<_> = hosts.iter().filter(|host| !rules.redirects_host(host)).cloned().collect();
        let named = declared.routes.iter().filter_map(|route| {
            Some(PathRoute { host: route.host.clone()?, path: route.path.clone(), strip: route.strip })
        });
        let of_all = declared.routes.iter().filter(|route| route.host.is_none()).flat_map(|route| {
            let at = |host: &Hostname| PathRoute {
                host: host.clone(),
                path: route.path.clone(),
                strip: route.strip,
            };
            served.iter().filter(|host| is_own(host)).map(at)
        });
        // One that names its hostname is the more exact one.
        let mut known: HashSet<_> =
            door.routes.iter().map(|route| (&route.host, &route.path)).map(owned).collect();
        for route in named.chain(of_all) {
            if known.insert(owned((&route.host, &route.path))) {
                rules.add_route(route, has, others);
            }
        }
        rules.hosts = served;
        rules.redirects.sort();
        rules.routes.sort();
        rules
    }

    fn add_redirect(&mut self, redirect: &Redirect, is_own: bool) {
        let known: Vec<_> = self.redirects.iter().map(|(known, _)| known.clone()).collect();
        if !is_own {
            self.left_out.push(LeftOut::ForeignRedirect(redirect.clone()));
        } else if redirect.leads_back(&known) {
            self.left_out.push(LeftOut::Circle(redirect.clone()));
        } else {
            self.redirects.push((redirect.clone(), Origin::Manifest));
        }
    }

    fn add_route(&mut self, route: PathRoute, has: impl Fn(&Hostname) -> bool, others: &Others) {
        if !has(&route.host) {
            self.left_out.push(LeftOut::ForeignRoute(route));
        } else if let Some(other) = others.routes.iter().find(|other| other.covers(&route)) {
            self.left_out.push(LeftOut::Covered(route, other.clone()));
        } else {
            self.routes.push((route, Origin::Manifest));
        }
    }

    fn redirects_host(&self, host: &Hostname) -> bool {
        self.redirects.iter().any(|(redirect, _)| redirect.host == *host)
    }

    /// The redirects, for the proxy.
    pub(crate) fn proxy_redirects(&self) -> Vec<HostRedirect> {
        let redirect = |(redirect, _): &(Redirect, Origin)| HostRedirect {
            host: redirect.host.to_string(),
            to: redirect.to.to_string(),
            status: redirect.status.code(),
        };
        self.redirects.iter().map(redirect).collect()
    }

    /// The paths, for the proxy.
    pub(crate) fn proxy_paths(&self) -> Vec<paas_proxy::PathRoute> {
        let path = |(route, _): &(PathRoute, Origin)| paas_proxy::PathRoute {
            host: route.host.to_string(),
            prefix: route.path.to_string(),
            strip: route.strip,
        };
        self.routes.iter().map(path).collect()
    }
}

fn owned((host, path): (&Hostname, &RoutePath)) -> (Hostname, RoutePath) {
    (host.clone(), path.clone())
}

impl Deployer {
    /// What is in force at the app's hostnames, with the repository of the release that serves.
    pub fn host_rules(&self, app: &App) -> Result<HostRules, StoreError> {
        let declared = match app.release {
            Some(release) => self.store.get_release(release)?.spec.declared,
            None => Declared::default(),
        };
        self.host_rules_with(app, &self.store.front_door(app.id)?, &declared)
    }

    /// The same with that repository.
    pub(crate) fn host_rules_with(
        &self,
        app: &App,
        door: &FrontDoor,
        declared: &Declared,
    ) -> Result<HostRules, StoreError> {
        let mut others = Others::default();
        if !(declared.routes.is_empty() && declared.redirects.is_empty()) {
            others.routes = self.store.path_routes_of_others(app.id)?;
            others.own_name = self.settings.default_host(&app.name);
            if let Some(own) = &others.own_name
                && self.store.host_owner(own)?.is_none_or(|owner| owner == app.id)
            {
                others.own_name = None;
            }
        }
        Ok(HostRules::new(&self.hosts(app)?, door, &others, declared))
    }
}

#[cfg(test)]
mod tests {
    use paas_domain::{DeclaredRoute, RedirectStatus};
    use paas_proxy::ServiceSpec;

    use super::*;

    fn host(text: &str) -> Hostname {
        Hostname::new(text).unwrap()
    }

    fn hosts(names: &[&str]) -> Vec<Hostname> {
        names.iter().map(|name| host(name)).collect()
    }

    fn redirect(from: &str, to: &str) -> Redirect {
        Redirect { host: host(from), to: host(to), status: RedirectStatus::Permanent }
    }

    fn route(at: Option<&str>, path: &str, strip: bool) -> DeclaredRoute {
        DeclaredRoute { host: at.map(host), path: RoutePath::new(path).unwrap(), strip }
    }

    fn by_command(text: &str) -> PathRoute {
        PathRoute::parse(text, false).unwrap()
    }

    fn redirected(rules: &HostRules) -> Vec<(&str, &str, Origin)> {
        rules.redirects.iter().map(|(one, origin)| (one.host.as_str(), one.to.as_str(), *origin)).collect()
    }

    fn routed(rules: &HostRules) -> Vec<(String, bool, Origin)> {
        rules.routes.iter().map(|(route, origin)| (route.to_string(), route.strip, *origin)).collect()
    }

    fn sentences(rules: &HostRules) -> Vec<String> {
        let app = AppName::new("blog").unwrap();
        rules.left_out.iter().map(|left_out| left_out.sentence(&app)).collect()
    }

    #[test]
    fn a_file_says_what_is_done_at_the_hostnames_that_the_app_has() {
        let declared = Declared {
            redirects: vec![redirect("www.test", "a.test"), redirect("blog.example.org", "a.test")],
            routes: vec![route(None, "/api", true), route(Some("a.test"), "/api", false)],
            ..Declared::default()
        };
        let own = hosts(&["blog.example.org", "a.test", "b.test", "www.test", "*.c.test"]);
        let rules = HostRules::new(&own, &FrontDoor::default(), &Others::default(), &declared);
        assert_eq!(rules.hosts, hosts(&["a.test", "b.test", "*.c.test"]));
        assert_eq!(
            redirected(&rules),
            [("blog.example.org", "a.test", Origin::Manifest), ("www.test", "a.test", Origin::Manifest)]
        );
        assert_eq!(
            routed(&rules),
            [
                ("*.c.test/api".to_owned(), true, Origin::Manifest),
                ("a.test/api".to_owned(), false, Origin::Manifest),
                ("b.test/api".to_owned(), true, Origin::Manifest),
            ]
        );
        assert!(rules.left_out.is_empty());
        let service = ServiceSpec {
            name: "app-1".into(),
            hosts: rules.hosts.iter().map(ToString::to_string).collect(),
            redirects: rules.proxy_redirects(),
            paths: rules.proxy_paths(),
            ..ServiceSpec::default()
        };
        assert_eq!(service.check(), Ok(()));
    }

    #[test]
    fn a_file_claims_no_hostname() {
        let declared = Declared {
            redirects: vec![redirect("bank.test", "a.test"), redirect("x.wild.test", "a.test")],
            routes: vec![route(Some("bank.test"), "/login", true), route(Some("x.wild.test"), "/y", false)],
            ..Declared::default()
        };
        // A name below the app's own wildcard may be another app's.
        let rules = HostRules::new(
            &hosts(&["a.test", "*.wild.test"]),
            &FrontDoor::default(),
            &Others::default(),
            &declared,
        );
        assert_eq!((redirected(&rules), routed(&rules)), (Vec::new(), Vec::new()));
        assert_eq!(rules.hosts, hosts(&["a.test", "*.wild.test"]));
        let told = sentences(&rules);
        assert_eq!(told.len(), 4);
        assert!(told[0].contains("not in force") && told[0].contains("`paas domains:add blog bank.test`"));
        assert!(told[1].contains("`paas domains:add blog x.wild.test`"), "{told:?}");
        assert!(told[2].contains("`paas routes:add blog bank.test/login --strip`"), "{told:?}");
        assert!(told[3].contains("`paas routes:add blog x.wild.test/y`"), "{told:?}");
    }

    #[test]
    fn a_file_says_nothing_of_an_own_name_that_another_app_has() {
        let declared = Declared {
            redirects: vec![redirect("blog.example.org", "a.test")],
            routes: vec![route(None, "/login", false), route(Some("blog.example.org"), "/pay", false)],
            ..Declared::default()
        };
        let own_name = Some(host("blog.example.org"));
        let others = Others { own_name, ..Others::default() };
        let own = hosts(&["blog.example.org", "a.test"]);
        let rules = HostRules::new(&own, &FrontDoor::default(), &others, &declared);
        assert_eq!(redirected(&rules), []);
        assert_eq!(routed(&rules), [("a.test/login".to_owned(), false, Origin::Manifest)]);
        assert_eq!(rules.left_out.len(), 2);
    }

    #[test]
    fn a_command_wins_over_the_file() {
        let declared = Declared {
            redirects: vec![redirect("www.test", "a.test"), redirect("a.test", "old.test")],
            routes: vec![route(None, "/api", true), route(Some("www.test"), "/ping", true)],
            ..Declared::default()
        };
        let door = FrontDoor {
            redirects: vec![redirect("www.test", "b.test"), redirect("old.test", "a.test")],
            routes: vec![by_command("a.test/api")],
            ..FrontDoor::default()
        };
        // What a command redirects is no domain any more.
        let rules = HostRules::new(&hosts(&["a.test"]), &door, &Others::default(), &declared);
        assert_eq!(
            redirected(&rules),
            [("old.test", "a.test", Origin::Command), ("www.test", "b.test", Origin::Command)]
        );
        assert_eq!(
            routed(&rules),
            [
                ("a.test/api".to_owned(), false, Origin::Command),
                ("www.test/ping".to_owned(), true, Origin::Manifest)
            ]
        );
        assert_eq!(rules.hosts, hosts(&["a.test"]), "it is not redirected in a circle");
        assert!(matches!(&rules.left_out[..], [LeftOut::Circle(_)]), "{:?}", rules.left_out);
        assert!(sentences(&rules)[0].contains("`paas redirects blog`"));
    }

    #[test]
    fn a_circle_by_way_of_commands_and_the_file_is_left_out() {
        let declared = Declared {
            redirects: vec![redirect("a.test", "b.test"), redirect("c.test", "a.test")],
            ..Declared::default()
        };
        let door = FrontDoor { redirects: vec![redirect("b.test", "c.test")], ..FrontDoor::default() };
        let rules = HostRules::new(&hosts(&["a.test", "c.test"]), &door, &Others::default(), &declared);
        assert_eq!(
            redirected(&rules),
            [("a.test", "b.test", Origin::Manifest), ("b.test", "c.test", Origin::Command)]
        );
        assert_eq!(rules.hosts, hosts(&["c.test"]));
    }

    #[test]
    fn a_file_takes_no_path_that_another_app_has() {
        let declared = Declared {
            routes: vec![
                route(Some("a.test"), "/shop", false),
                route(None, "/shop/cart", false),
                route(None, "/shopping", false),
            ],
            ..Declared::default()
        };
        let rules = HostRules::new(
            &hosts(&["a.test", "b.test"]),
            &FrontDoor::default(),
            &Others {
                routes: vec![by_command("a.test/shop"), by_command("c.test/shopping")],
                own_name: None,
            },
            &declared,
        );
        let names: Vec<_> = routed(&rules).into_iter().map(|(route, ..)| route).collect();
        assert_eq!(names, ["a.test/shopping", "b.test/shop/cart", "b.test/shopping"]);
        assert_eq!(rules.left_out.len(), 2);
        assert!(sentences(&rules)[0].contains("a.test/shop leads to another app"), "{:?}", sentences(&rules));
    }

    #[test]
    fn the_proxy_takes_every_path_that_a_command_takes() {
        let mut taken = 0;
        for character in (0..=0x7f_u8).map(char::from) {
            let Ok(route) = PathRoute::parse(&format!("a.org/x{character}y"), true) else {
                continue;
            };
            let door = FrontDoor { routes: vec![route], ..FrontDoor::default() };
            let paths = HostRules::new(&[], &door, &Others::default(), &Declared::default()).proxy_paths();
            let service = ServiceSpec { name: "app-1".into(), paths, ..ServiceSpec::default() };
            assert_eq!(service.check(), Ok(()), "{character:?}");
            taken += 1;
        }
        assert!(taken > 80, "{taken}");
    }
}
