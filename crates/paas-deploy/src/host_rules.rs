//! What is done at an app's hostnames: what commands say, and what paas.toml says of hostnames that the app has. A repository claims none.

use std::collections::{BTreeSet, HashMap, HashSet};

use paas_domain::{
    AppName, Declared, Hostname, LONGEST_REDIRECT_CHAIN, Misleading, PathRoute, Redirect, RoutePath,
};
use paas_proxy::HostRedirect;
use paas_store::{App, FrontDoor, StoreError};

use crate::deployer::Deployer;

/// The paths of hostnames that a file leads to its app: one without `host` counts at each of the app's hostnames.
const MOST_ROUTES: usize = 1_000;

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
    /// A redirect of the app's own name while another app has that.
    TakenRedirect(Redirect),
    /// A redirect whose visitors would come nowhere, by way of commands.
    Misleading(Redirect, Misleading),
    /// A path of a hostname that the app does not have.
    ForeignRoute(PathRoute),
    /// A path of the app's own name while another app has that.
    TakenRoute(PathRoute),
    /// A path of a hostname that a command redirects.
    ClosedRoute(PathRoute),
    /// A path at or below one that another app has by command.
    Covered(PathRoute, PathRoute),
    /// That path and others, because they are too many.
    TooManyRoutes(PathRoute),
}

impl LeftOut {
    /// It and the command that helps, for whoever pushes to that app.
    pub(crate) fn sentence(&self, app: &AppName) -> String {
        let added = |route: &PathRoute| {
            let strip = if route.strip { " --strip" } else { "" };
            format!("`paas routes:add {app} {route}{strip}` leads it here")
        };
        let why = match self {
            Self::ForeignRedirect(Redirect { host, .. }) => {
                format!("{host} is no hostname of {app}; `paas domains:add {app} {host}` makes it one")
            }
            Self::TakenRedirect(Redirect { host, .. }) | Self::TakenRoute(PathRoute { host, .. }) => format!(
                "another app has {host}, from a time when the server's domain was another; `paas domains:remove` or `paas redirects:remove` there gives it to {app}"
            ),
            Self::Misleading(Redirect { host, to, .. }, Misleading::Back) => format!(
                "commands, of {app} or of other apps, lead from {to} back to {host}; `paas redirects {app}` shows those of {app}"
            ),
            Self::Misleading(_, Misleading::TooFar) => format!(
                "with those by command it is the first of more than {LONGEST_REDIRECT_CHAIN} in a row; send visitors straight to where they end"
            ),
            Self::ForeignRoute(route) => {
                format!("{} is no hostname of {app}; {}", route.host, added(route))
            }
            Self::ClosedRoute(route) => format!("a command redirects {}; {}", route.host, added(route)),
            Self::Covered(_, other) => {
                format!(
                    "{other} leads to another app by command; `paas routes:remove` there makes way for it"
                )
            }
            Self::TooManyRoutes(_) => format!(
                "a file leads at most {MOST_ROUTES} paths of hostnames here, and one without `host` counts at each of them; name the `host` of those that matter"
            ),
        };
        format!("{} not in force: {why}", self.subject())
    }

    fn subject(&self) -> String {
        match self {
            Self::ForeignRedirect(redirect)
            | Self::TakenRedirect(redirect)
            | Self::Misleading(redirect, _) => {
                format!("the redirect from {} to {} in paas.toml is", redirect.host, redirect.to)
            }
            Self::ForeignRoute(route)
            | Self::TakenRoute(route)
            | Self::ClosedRoute(route)
            | Self::Covered(route, _) => format!("the route {route} in paas.toml is"),
            Self::TooManyRoutes(route) => format!("the route {route} in paas.toml and those after it are"),
        }
    }
}

/// What other apps have by command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Others {
    /// Paths.
    routes: Vec<PathRoute>,
    /// Redirects.
    redirects: Vec<Redirect>,
    /// Domains.
    domains: HashSet<Hostname>,
    /// The hostname of this app's own name, from a time when the server's domain was another. A repository says nothing of it.
    own_name: Option<Hostname>,
}

impl HostRules {
    /// `hosts` are the app's own. A command wins over the file, also another app's: a file takes no path from anybody.
    pub(crate) fn new(hosts: &[Hostname], door: &FrontDoor, others: &Others, declared: &Declared) -> Self {
        let mut rules = Self::default();
        rules.redirects.extend(door.redirects.iter().cloned().map(|redirect| (redirect, Origin::Command)));
        rules.routes.extend(door.routes.iter().cloned().map(|route| (route, Origin::Command)));
        let own: HashSet<_> = hosts.iter().collect();
        let is_taken = |host: &Hostname| others.own_name.as_ref() == Some(host);
        let is_own = |host: &Hostname| own.contains(host) && !is_taken(host);
        let closed: HashSet<_> = door.redirects.iter().map(|redirect| &redirect.host).collect();
        let mut known: Vec<_> = door.redirects.iter().chain(&others.redirects).cloned().collect();
        for redirect in declared.redirects.iter().filter(|redirect| !closed.contains(&redirect.host)) {
            let has = |host: &Hostname| {
                others.domains.contains(host) || (own.contains(host) && !closed.contains(host))
            };
            if is_taken(&redirect.host) {
                rules.left_out.push(LeftOut::TakenRedirect(redirect.clone()));
            } else if !is_own(&redirect.host) {
                rules.left_out.push(LeftOut::ForeignRedirect(redirect.clone()));
            } else if let Some(misleading) = redirect.misleads(&known, has) {
                rules.left_out.push(LeftOut::Misleading(redirect.clone(), misleading));
            } else {
                known.push(redirect.clone());
                rules.redirects.push((redirect.clone(), Origin::Manifest));
            }
        }
        let redirected: HashSet<_> = rules.redirects.iter().map(|(redirect, _)| &redirect.host).collect();
        let served: Vec<_> = hosts.iter().filter(|host| !redirected.contains(host)).cloned().collect();
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
        let mut at: HashMap<_, Vec<_>> = HashMap::new();
        for route in &others.routes {
            at.entry(&route.host).or_default().push(route);
        }
        let mut count = 0;
        for route in named.chain(of_all) {
            if !known.insert(owned((&route.host, &route.path))) {
                continue;
            }
            let covering =
                || at.get(&route.host).and_then(|routes| routes.iter().find(|other| other.covers(&route)));
            if is_taken(&route.host) {
                rules.left_out.push(LeftOut::TakenRoute(route));
            } else if closed.contains(&route.host) {
                rules.left_out.push(LeftOut::ClosedRoute(route));
            } else if !is_own(&route.host) {
                rules.left_out.push(LeftOut::ForeignRoute(route));
            } else if let Some(&other) = covering() {
                let other = other.clone();
                rules.left_out.push(LeftOut::Covered(route, other));
            } else if count == MOST_ROUTES {
                rules.left_out.push(LeftOut::TooManyRoutes(route));
                break;
            } else {
                count += 1;
                rules.routes.push((route, Origin::Manifest));
            }
        }
        rules.hosts = served;
        rules.redirects.sort();
        rules.routes.sort();
        rules
    }

    /// The hostnames that the file redirects.
    pub(crate) fn redirected_by_file(&self) -> BTreeSet<String> {
        let of_file = |(_, origin): &&(Redirect, Origin)| *origin == Origin::Manifest;
        self.redirects.iter().filter(of_file).map(|(redirect, _)| redirect.host.to_string()).collect()
    }

    /// The redirects, for the proxy. Those of the file first: it names the first that it does not take, and a command wins.
    pub(crate) fn proxy_redirects(&self) -> Vec<HostRedirect> {
        let redirect = |(redirect, _): &(Redirect, Origin)| HostRedirect {
            host: redirect.host.to_string(),
            to: redirect.to.to_string(),
            status: redirect.status.code(),
        };
        let of = |origin| self.redirects.iter().filter(move |(_, one)| *one == origin);
        of(Origin::Manifest).chain(of(Origin::Command)).map(redirect).collect()
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
        self.host_rules_with(app, &self.store.front_door(app.id)?, &self.store.declared(app)?)
    }

    /// The same with that repository, and what commands say where it is known already.
    pub fn host_rules_with(
        &self,
        app: &App,
        door: &FrontDoor,
        declared: &Declared,
    ) -> Result<HostRules, StoreError> {
        let mut others = Others::default();
        if !(declared.routes.is_empty() && declared.redirects.is_empty()) {
            others.routes = self.store.path_routes_of_others(app.id)?;
            others.redirects = self.store.redirects_of_others(app.id)?;
            let domains = self.store.all_domains()?.into_iter().filter(|(_, owner)| *owner != app.id);
            others.domains = domains.map(|(domain, _)| domain).collect();
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
        let told = sentences(&rules);
        assert_eq!(told.len(), 2);
        for one in &told {
            assert!(
                one.contains("another app has blog.example.org") && one.contains("there gives it to blog"),
                "{one}"
            );
            assert!(!one.contains(":add"), "which would be refused: {one}");
        }
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
            [("a.test/api".to_owned(), false, Origin::Command)],
            "what a command has closed is not opened again"
        );
        assert_eq!(rules.hosts, hosts(&["a.test"]), "it is not redirected in a circle");
        let told = sentences(&rules);
        assert!(told[0].contains("`paas redirects blog`"), "{told:?}");
        assert!(told[1].contains("a command redirects www.test"), "{told:?}");
        assert!(told[1].contains("`paas routes:add blog www.test/ping --strip`"), "{told:?}");
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn a_command_that_redirects_the_own_name_closes_its_paths_too() {
        let declared = Declared {
            routes: vec![route(Some("blog.example.org"), "/ping", false), route(None, "/api", false)],
            ..Declared::default()
        };
        let door =
            FrontDoor { redirects: vec![redirect("blog.example.org", "a.test")], ..FrontDoor::default() };
        let own = hosts(&["blog.example.org", "a.test"]);
        let rules = HostRules::new(&own, &door, &Others::default(), &declared);
        assert_eq!(routed(&rules), [("a.test/api".to_owned(), false, Origin::Manifest)]);
        assert!(matches!(&rules.left_out[..], [LeftOut::ClosedRoute(_)]), "{:?}", rules.left_out);
    }

    #[test]
    fn a_command_of_another_app_wins_over_a_redirect_that_leads_back_by_way_of_it() {
        let declared = Declared {
            redirects: vec![redirect("a.test", "b.test"), redirect("c.test", "x.wild.test")],
            ..Declared::default()
        };
        let own = hosts(&["a.test", "c.test"]);
        let mut others = Others {
            redirects: vec![redirect("b.test", "a.test"), redirect("*.wild.test", "c.test")],
            ..Others::default()
        };
        let rules = HostRules::new(&own, &FrontDoor::default(), &others, &declared);
        assert_eq!((redirected(&rules), &rules.hosts), (Vec::new(), &own));
        assert!(sentences(&rules)[0].contains("of other apps, lead from b.test back to a.test"));
        others.domains.insert(host("x.wild.test"));
        let rules = HostRules::new(&own, &FrontDoor::default(), &others, &declared);
        assert_eq!(redirected(&rules), [("c.test", "x.wild.test", Origin::Manifest)]);
    }

    #[test]
    fn a_redirect_that_begins_a_long_chain_of_commands_is_left_out() {
        let chain = (0..10).map(|n| redirect(&format!("h{n}.test"), &format!("h{}.test", n + 1))).collect();
        let declared = Declared { redirects: vec![redirect("a.test", "h0.test")], ..Declared::default() };
        let others = Others { redirects: chain, ..Others::default() };
        let rules = HostRules::new(&hosts(&["a.test"]), &FrontDoor::default(), &others, &declared);
        assert_eq!(rules.hosts, hosts(&["a.test"]));
        assert!(sentences(&rules)[0].contains("the first of more than 10 in a row"));
    }

    #[test]
    fn a_file_leads_a_bounded_number_of_paths_here() {
        let own: Vec<_> = (0..20).map(|n| host(&format!("h{n}.test"))).collect();
        let mut routes: Vec<_> = (0..99).map(|n| route(None, &format!("/p{n}"), false)).collect();
        routes.push(route(Some("h19.test"), "/named", false));
        let declared = Declared { routes, ..Declared::default() };
        let rules = HostRules::new(&own, &FrontDoor::default(), &Others::default(), &declared);
        assert_eq!(rules.routes.len(), 1_000);
        assert!(routed(&rules).iter().any(|(name, ..)| name == "h19.test/named"), "it names its host");
        let told = sentences(&rules);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("those after it are not in force") && told[0].contains("at most 1000"));
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
                ..Others::default()
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
