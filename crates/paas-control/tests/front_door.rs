//! Routes, redirects, users, ranges, pages, maintenance: each endpoint through the real client and socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeMap;

use paas_control::wire::{
    AddRedirect, AddRoute, AddUser, ChangeIpRange, ErrorKind, IpList, RemoveRoute, SetPage, SettingsChange,
    Source, TakesEffect,
};
use paas_deploy::Proxy as _;
use paas_domain::{AccessLog, DeclaredRoute, IpRange, Page, Redirect, RedirectStatus, RoutePath, UserName};
use paas_proxy::{HostRedirect, PathRoute, ServiceSpec, ServiceState};
use paas_store::{Access, App};
use support::*;

fn route(text: &str) -> AddRoute {
    AddRoute { route: text.to_owned(), strip: false }
}

fn redirect(from: &str, to: &str) -> AddRedirect {
    AddRedirect { host: host(from), to: host(to), status: RedirectStatus::Permanent }
}

fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn range(list: IpList, text: &str) -> ChangeIpRange {
    ChangeIpRange { list, range: IpRange::new(text).unwrap() }
}

fn set(values: &[(&str, &str)]) -> SettingsChange {
    let value = |(name, value): &(&str, &str)| ((*name).to_owned(), Some((*value).to_owned()));
    SettingsChange { set: values.iter().map(value).collect() }
}

#[track_caller]
fn service(server: &Server, app: &App) -> ServiceSpec {
    server.world.proxy.service(&format!("app-{}", app.id)).unwrap()
}

#[tokio::test]
async fn a_path_of_a_hostname_leads_to_an_app_at_once() {
    let world = World::new();
    let (blog, shop) = (world.deployed("blog"), world.deployed("shop"));
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&shop.name, &host("example.com")).await.unwrap();
    root.add_route(&blog.name, &AddRoute { route: "Example.com/blog/".into(), strip: true }).await.unwrap();
    root.add_route(&blog.name, &route("shop.example.org/blog")).await.unwrap();
    root.add_route(&blog.name, &route("blog.example.org/old")).await.unwrap();
    let paths = service(&server, &blog).paths;
    let seen: Vec<_> =
        paths.iter().map(|path| (path.host.as_str(), path.prefix.as_str(), path.strip)).collect();
    assert_eq!(
        seen,
        [
            ("blog.example.org", "/old", false),
            ("example.com", "/blog", true),
            ("shop.example.org", "/blog", false)
        ]
    );
    assert_eq!(root.routes(&blog.name).await.unwrap().len(), 3);
    root.remove_route(&blog.name, &RemoveRoute { route: "example.com/blog".into() }).await.unwrap();
    assert_eq!(service(&server, &blog).paths.len(), 2);
    let gone = root.remove_route(&blog.name, &RemoveRoute { route: "example.com/blog".into() }).await;
    assert_eq!(refusal(gone).kind, ErrorKind::NotFound);
    for bad in ["example.com", "example.com/", "*.example.com/blog", "http://example.com/blog"] {
        let error = refusal(root.add_route(&blog.name, &route(bad)).await);
        assert_eq!(error.kind, ErrorKind::Refused, "{bad}: {error:?}");
    }
    for kept in ["example.org/blog", "future.example.org/blog"] {
        assert_eq!(
            refusal(root.add_route(&blog.name, &route(kept)).await).kind,
            ErrorKind::Conflict,
            "{kept}"
        );
    }
}

#[tokio::test]
async fn a_bound_key_takes_no_part_of_a_name_that_is_not_its_apps() {
    let world = World::new();
    let (blog, shop) = (world.deployed("blog"), world.deployed("shop"));
    let one = world.key("one", &Access::Apps(vec![blog.name.clone()]));
    let both = world.key("both", &Access::Apps(vec![blog.name.clone(), shop.name.clone()]));
    let server = Server::start_with(world);
    server.root().add_domain(&shop.name, &host("example.com")).await.unwrap();
    server.root().add_redirect(&shop.name, &redirect("www.example.com", "example.com")).await.unwrap();
    let (one, both) = (server.with_key(one), server.with_key(both));
    for taken in ["example.com/login", "www.example.com/login", "shop.example.org/login"] {
        let hidden = refusal(one.add_route(&blog.name, &route(taken)).await);
        assert!(hidden.kind == ErrorKind::Conflict && !hidden.message.contains("app shop"), "{hidden:?}");
        both.add_route(&blog.name, &route(taken)).await.unwrap();
        let hidden = refusal(one.add_redirect(&blog.name, &redirect("example.com", "blog.test")).await);
        assert!(hidden.message.contains("another app"), "{hidden:?}");
    }
    // A path that is taken first is no way in either.
    one.add_route(&blog.name, &route("later.test/login")).await.unwrap();
    let only_shop = refusal(server.root().add_domain(&app_name("nowhere"), &host("later.test")).await);
    assert_eq!(only_shop.kind, ErrorKind::NotFound);
    both.add_domain(&shop.name, &host("later.test")).await.unwrap();
    assert!(one.routes(&shop.name).await.is_err());
}

#[tokio::test]
async fn a_redirected_hostname_is_the_apps_and_leads_on() {
    let world = World::new();
    let (blog, shop) = (world.deployed("blog"), world.deployed("shop"));
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&blog.name, &host("www.example.com")).await.unwrap();
    root.add_domain(&blog.name, &host("example.com")).await.unwrap();
    root.add_redirect(&blog.name, &redirect("www.example.com", "example.com")).await.unwrap();
    // Its own name as well.
    let own = AddRedirect { status: RedirectStatus::Found, ..redirect("blog.example.org", "example.com") };
    root.add_redirect(&blog.name, &own).await.unwrap();
    let routed = service(&server, &blog);
    assert_eq!(routed.hosts, ["example.com"]);
    let seen: Vec<_> =
        routed.redirects.iter().map(|one| (one.host.as_str(), one.to.as_str(), one.status)).collect();
    assert_eq!(seen, [("blog.example.org", "example.com", 302), ("www.example.com", "example.com", 308)]);
    let names = root.domains(&blog.name).await.unwrap();
    assert!(
        names.iter().any(|name| name.hostname == host("www.example.com")),
        "it has a certificate: {names:?}"
    );
    for (from, to, kind) in [
        ("shop.example.org", "example.com", ErrorKind::Conflict),
        ("example.org", "example.com", ErrorKind::Conflict),
        ("example.com", "www.example.com", ErrorKind::Conflict),
        ("old.test", "*.example.com", ErrorKind::Refused),
    ] {
        assert_eq!(refusal(root.add_redirect(&blog.name, &redirect(from, to)).await).kind, kind, "{from}");
    }
    assert_eq!(
        refusal(root.add_domain(&shop.name, &host("www.example.com")).await).kind,
        ErrorKind::Conflict
    );
    root.remove_redirect(&blog.name, &host("blog.example.org")).await.unwrap();
    assert_eq!(service(&server, &blog).hosts, ["blog.example.org", "example.com"]);
    assert_eq!(root.redirects(&blog.name).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_proxy_leaves_out_is_told_as_not_in_force() {
    let world = World::new();
    let (blog, shop) = (world.deployed("blog"), world.app("shop"));
    let server = Server::start_with(world);
    let root = server.root();
    // Nobody is there at its end, so its visitors would be sent to it again.
    root.add_domain(&shop.name, &host("www.test.org")).await.unwrap();
    for _ in 0..2 {
        let error = refusal(root.add_redirect(&blog.name, &redirect("*.test.org", "www.test.org")).await);
        assert_eq!(error.kind, ErrorKind::Conflict);
        assert!(error.message.contains("not in force: the redirect from *.test.org"), "{error:?}");
        assert!(error.hints[0].contains("redirects:remove blog *.test.org"), "{error:?}");
    }
    assert_eq!(root.redirects(&blog.name).await.unwrap().len(), 1, "it is stored");
    // Others are in force, and nobody is told of what he did not ask for.
    root.add_redirect(&blog.name, &redirect("example.com", "www.example.com")).await.unwrap();
    assert_eq!(service(&server, &blog).redirects.len(), 1);
    server.world.release(&shop, spec());
    server.world.deployer.apply_routes(shop.id).await.unwrap();
    root.add_redirect(&blog.name, &redirect("*.test.org", "www.test.org")).await.unwrap();
    assert_eq!(service(&server, &blog).redirects.len(), 2);

    // The proxy has another service that the store does not know of any more.
    let other = ServiceSpec {
        name: "app-99".into(),
        hosts: vec!["taken.test".into()],
        paths: vec![PathRoute { host: "shared.test".into(), prefix: "/x".into(), strip: false }],
        ..ServiceSpec::default()
    };
    server.world.proxy.put_service(&other).await.unwrap();
    let error = refusal(root.add_domain(&blog.name, &host("taken.test")).await);
    assert!(error.message.contains("not in force: the host taken.test"), "{error:?}");
    let error = refusal(root.add_route(&blog.name, &route("shared.test/x")).await);
    assert!(error.message.contains("not in force: the path shared.test/x"), "{error:?}");
}

#[tokio::test]
async fn a_file_says_what_is_done_at_the_apps_own_hostnames() {
    let world = World::new();
    let (blog, shop) = (world.app("blog"), world.deployed("shop"));
    let mut spec = spec();
    let status = RedirectStatus::Permanent;
    spec.declared.redirects = [("www.test.org", "test.org"), ("bank.test", "test.org")]
        .map(|(from, to)| Redirect { host: host(from), to: host(to), status })
        .to_vec();
    let at = |path: &str| DeclaredRoute { host: None, path: RoutePath::new(path).unwrap(), strip: true };
    spec.declared.routes = vec![at("/api"), at("/docs")];
    world.release(&blog, spec);
    let server = Server::start_with(world);
    let root = server.root();
    let redirects = async || {
        let list = root.redirects(&blog.name).await.unwrap();
        assert_eq!(root.app(&blog.name).await.unwrap().redirects, list);
        list.into_iter().map(|one| (one.host.to_string(), one.source)).collect::<Vec<_>>()
    };
    let routes = async || {
        let list = root.routes(&blog.name).await.unwrap();
        assert_eq!(root.app(&blog.name).await.unwrap().routes, list);
        list.into_iter().map(|one| (format!("{}{}", one.host, one.path), one.source)).collect::<Vec<_>>()
    };
    let file = |name: &str| (name.to_owned(), Source::Manifest);

    // Nothing of a hostname that is not the app's.
    assert_eq!(redirects().await, []);
    root.add_domain(&blog.name, &host("test.org")).await.unwrap();
    root.add_domain(&blog.name, &host("www.test.org")).await.unwrap();
    assert_eq!(redirects().await, [file("www.test.org")]);
    let spec = service(&server, &blog);
    assert_eq!(
        (spec.hosts.as_slice(), spec.redirects.len()),
        (["blog.example.org", "test.org"].map(String::from).as_slice(), 1)
    );
    assert_eq!(root.app(&blog.name).await.unwrap().urls, ["http://blog.example.org", "http://test.org"]);
    let names = root.domains(&blog.name).await.unwrap();
    assert!(
        names.iter().any(|name| name.hostname == host("www.test.org")),
        "it has a certificate: {names:?}"
    );
    let error = refusal(root.remove_redirect(&blog.name, &host("www.test.org")).await);
    assert!(error.kind == ErrorKind::NotFound && error.hints[0].contains("[[redirects]]"), "{error:?}");
    let of_file =
        ["blog.example.org/api", "blog.example.org/docs", "test.org/api", "test.org/docs"].map(file);
    assert_eq!(routes().await, of_file);
    let foreign =
        refusal(root.remove_route(&blog.name, &RemoveRoute { route: "bank.test/api".into() }).await);
    assert!(foreign.kind == ErrorKind::NotFound && foreign.hints.is_empty(), "{foreign:?}");
    let error = refusal(root.remove_route(&blog.name, &RemoveRoute { route: "test.org/api".into() }).await);
    assert!(error.kind == ErrorKind::NotFound && error.hints[0].contains("[[routes]]"), "{error:?}");

    // A command of the app wins, and one of another app at once.
    root.add_route(&blog.name, &route("test.org/api")).await.unwrap();
    assert_eq!(routes().await[2], ("test.org/api".to_owned(), Source::Command));
    root.add_route(&shop.name, &route("test.org/docs")).await.unwrap();
    let prefixes = |app| {
        service(&server, app).paths.into_iter().map(|path| path.host + &path.prefix).collect::<Vec<_>>()
    };
    assert_eq!(prefixes(&shop), ["test.org/docs"]);
    assert_eq!(prefixes(&blog), ["blog.example.org/api", "blog.example.org/docs", "test.org/api"]);
    root.remove_route(&shop.name, &RemoveRoute { route: "test.org/docs".into() }).await.unwrap();
    assert_eq!(prefixes(&blog).len(), 4);
    root.add_redirect(&blog.name, &redirect("www.test.org", "blog.example.org")).await.unwrap();
    assert_eq!(redirects().await, [("www.test.org".to_owned(), Source::Command)]);
}

#[tokio::test]
async fn a_domain_whose_redirect_in_the_file_the_proxy_refuses_is_in_force() {
    let world = World::new();
    let blog = world.app("blog");
    let mut spec = spec();
    spec.declared.redirects =
        vec![Redirect { host: host("www.test"), to: host("away.test"), status: RedirectStatus::Permanent }];
    world.release(&blog, spec);
    // The file of another app: the store knows nothing of it.
    let back = HostRedirect { host: "away.test".into(), to: "www.test".into(), status: 308 };
    let other = ServiceSpec { name: "app-99".into(), redirects: vec![back], ..ServiceSpec::default() };
    world.proxy.put_service(&other).await.unwrap();
    let server = Server::start_with(world);
    server.root().add_domain(&blog.name, &host("www.test")).await.unwrap();
    let ServiceSpec { hosts, redirects, .. } = service(&server, &blog);
    assert_eq!((hosts, redirects), (vec!["blog.example.org".to_owned(), "www.test".to_owned()], vec![]));
}

#[tokio::test]
async fn a_redirect_by_command_wins_over_one_in_another_apps_file() {
    let world = World::new();
    let (blog, shop) = (world.app("blog"), world.deployed("shop"));
    let mut spec = spec();
    spec.declared.redirects =
        vec![Redirect { host: host("a.test"), to: host("b.test"), status: RedirectStatus::Permanent }];
    world.release(&blog, spec);
    let server = Server::start_with(world);
    let root = server.root();
    root.add_domain(&blog.name, &host("a.test")).await.unwrap();
    root.add_domain(&shop.name, &host("b.test")).await.unwrap();
    let at = |app: &App| {
        let ServiceSpec { hosts, redirects, .. } = service(&server, app);
        (hosts, redirects.into_iter().map(|one| (one.host, one.to)).collect::<Vec<_>>())
    };
    let from_to = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let before = (at(&blog), at(&shop));
    assert_eq!(before.0.1, [from_to("a.test", "b.test")]);
    // By way of another name, and straight.
    root.add_redirect(&shop.name, &redirect("c.test", "a.test")).await.unwrap();
    for (from, to) in [("b.test", "c.test"), ("b.test", "a.test")] {
        root.add_redirect(&shop.name, &redirect(from, to)).await.unwrap();
        assert_eq!(at(&shop).1, [from_to(from, to), from_to("c.test", "a.test")]);
        assert_eq!(at(&blog), (vec!["blog.example.org".to_owned(), "a.test".to_owned()], vec![]));
        root.remove_redirect(&shop.name, &host("b.test")).await.unwrap();
        root.add_domain(&shop.name, &host("b.test")).await.unwrap();
        assert_eq!(at(&blog), before.0, "it comes back");
    }
}

#[tokio::test]
async fn a_name_given_up_by_a_rename_is_free_for_the_next_app() {
    let world = World::new();
    let blog = world.deployed("blog");
    let server = Server::start_with(world);
    let root = server.root();
    root.add_redirect(&blog.name, &redirect("blog.example.org", "example.com")).await.unwrap();
    root.rename_app(&blog.name, &app_name("news")).await.unwrap();
    let routed = service(&server, &blog);
    assert_eq!((routed.hosts, routed.redirects), (vec!["news.example.org".to_owned()], Vec::new()));
}

#[tokio::test]
async fn a_users_password_is_kept_as_a_hash_alone() {
    let world = World::new();
    let blog = world.deployed("blog");
    let server = Server::start_with(world);
    let root = server.root();
    let ann = |password: &str| AddUser { user: user("ann"), password: secret(password) };
    root.add_user(&blog.name, &ann("correct horse")).await.unwrap();
    let first = service(&server, &blog).policy.basic_auth["ann"].clone();
    assert!(first.as_str().starts_with("pbkdf2-sha256$") && !first.as_str().contains("correct"));
    root.add_user(&blog.name, &ann("battery staple")).await.unwrap();
    assert_ne!(service(&server, &blog).policy.basic_auth["ann"], first);
    for bad in ["short", "with\ttab in it", &"long".repeat(40)] {
        let error = refusal(root.add_user(&blog.name, &ann(bad)).await);
        assert!(error.kind == ErrorKind::Refused && !error.message.contains(bad), "{error:?}");
    }
    assert_eq!(root.users(&blog.name).await.unwrap()[0].user, user("ann"));
    root.remove_user(&blog.name, &user("ann")).await.unwrap();
    assert!(service(&server, &blog).policy.basic_auth.is_empty());
    assert_eq!(refusal(root.remove_user(&blog.name, &user("ann")).await).kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn users_by_command_stand_in_place_of_the_files() {
    let world = World::new();
    let blog = world.app("blog");
    let mut declared = spec();
    let hash = paas_deploy::PasswordHash::new("correct horse");
    declared.declared.users = BTreeMap::from([(user("ann"), secret(hash.as_str()))]);
    world.release(&blog, declared);
    let server = Server::start_with(world);
    let root = server.root();
    let shown = async || {
        let users = root.users(&blog.name).await.unwrap();
        assert_eq!(root.app(&blog.name).await.unwrap().users, users);
        users.into_iter().map(|info| (info.user.to_string(), info.source)).collect::<Vec<_>>()
    };
    assert_eq!(shown().await, [("ann".to_owned(), Source::Manifest)]);
    let error = refusal(root.remove_user(&blog.name, &user("ann")).await);
    assert!(error.kind == ErrorKind::NotFound && error.hints[0].contains("[auth]"), "{error:?}");
    let add = AddUser { user: user("ben"), password: secret("battery staple") };
    root.add_user(&blog.name, &add).await.unwrap();
    assert_eq!(shown().await, [("ben".to_owned(), Source::Command)]);
    let let_in = |server: &Server| service(server, &blog).policy.basic_auth.into_keys().collect::<Vec<_>>();
    assert_eq!(let_in(&server), ["ben"]);
    root.remove_user(&blog.name, &user("ben")).await.unwrap();
    assert_eq!(
        (let_in(&server), shown().await),
        (vec!["ann".into()], vec![("ann".into(), Source::Manifest)])
    );
}

#[tokio::test]
async fn a_commanded_list_of_ranges_stands_in_place_of_the_files() {
    let world = World::new();
    let blog = world.app("blog");
    let mut declared = spec();
    declared.declared.http.allow = Some(vec![IpRange::new("10.0.0.0/8").unwrap()]);
    declared.declared.http.max_body = Some(5 << 20);
    world.release(&blog, declared);
    let server = Server::start_with(world);
    let root = server.root();
    let before = root.ip_ranges(&blog.name).await.unwrap();
    assert_eq!((before.allow.source, before.trusted_proxies.source), (Source::Manifest, Source::Default));
    root.add_ip_range(&blog.name, &range(IpList::Allow, "192.0.2.7")).await.unwrap();
    root.add_ip_range(&blog.name, &range(IpList::TrustedProxies, "2001:db8::/32")).await.unwrap();
    let policy = service(&server, &blog).policy;
    let shown = |ranges: &[_]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&policy.allow), ["192.0.2.7/32"]);
    assert_eq!(shown(&policy.trusted_proxies), ["2001:db8::/32"]);
    let settings = root.app(&blog.name).await.unwrap().settings;
    let find = |name: &str| settings.iter().find(|setting| setting.name == name).unwrap();
    assert_eq!((find("allow").value.as_str(), find("allow").source), ("192.0.2.7/32", Source::Command));
    assert_eq!((find("max_body").value.as_str(), find("max_body").source), ("5m", Source::Manifest));
    assert_eq!((find("sticky").value.as_str(), find("sticky").source), ("off", Source::Default));
    let everybody = refusal(root.add_ip_range(&blog.name, &range(IpList::TrustedProxies, "0.0.0.0/0")).await);
    assert!(everybody.message.contains("every address"), "{everybody:?}");
    root.remove_ip_range(&blog.name, &range(IpList::Allow, "192.0.2.7")).await.unwrap();
    assert_eq!(shown(&service(&server, &blog).policy.allow), ["10.0.0.0/8"]);
    let gone = root.remove_ip_range(&blog.name, &range(IpList::Allow, "192.0.2.7")).await;
    assert_eq!(refusal(gone).kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn how_requests_are_treated_takes_effect_at_once() {
    let world = World::new();
    let blog = world.deployed("blog");
    let server = Server::start_with(world);
    let root = server.root();
    let change = set(&[
        ("max_body", "100m"),
        ("response_timeout", "5m"),
        ("compression", "on"),
        ("hold_timeout", "20s"),
        ("access_log", AccessLog::Json.as_str()),
    ]);
    let saved = root.change_settings(&blog.name, &change).await.unwrap();
    assert_eq!((saved.changed, saved.takes_effect), (true, TakesEffect::Now));
    let policy = service(&server, &blog).policy;
    assert_eq!((policy.max_body, policy.response_timeout_ms), (100 << 20, Some(300_000)));
    assert_eq!((policy.compression, policy.hold.timeout_ms), (true, 20_000));
    assert_eq!(policy.access_log, paas_proxy::AccessLog::Json);
    let back = SettingsChange { set: BTreeMap::from([("max_body".to_owned(), None)]) };
    root.change_settings(&blog.name, &back).await.unwrap();
    assert_eq!(service(&server, &blog).policy.max_body, 1 << 30);
}

#[tokio::test]
async fn a_command_ends_the_maintenance_of_the_file_and_can_be_taken_back() {
    let world = World::new();
    let blog = world.app("blog");
    let mut declared = spec();
    declared.declared.http.maintenance = Some(true);
    world.release(&blog, declared);
    let server = Server::start_with(world);
    let root = server.root();
    let shown = async || {
        let settings = root.app(&blog.name).await.unwrap().settings;
        let found = settings.into_iter().find(|setting| setting.name == "maintenance").unwrap();
        (found.value, found.source, service(&server, &blog).state)
    };
    root.change_settings(&blog.name, &set(&[("sticky", "on")])).await.unwrap();
    assert_eq!(shown().await, ("on".to_owned(), Source::Manifest, ServiceState::Maintenance));
    root.change_settings(&blog.name, &set(&[("maintenance", "off")])).await.unwrap();
    assert_eq!(shown().await, ("off".to_owned(), Source::Command, ServiceState::Serving));
    let back = SettingsChange { set: BTreeMap::from([("maintenance".to_owned(), None)]) };
    root.change_settings(&blog.name, &back).await.unwrap();
    assert_eq!(shown().await, ("on".to_owned(), Source::Manifest, ServiceState::Maintenance));
}

#[tokio::test]
async fn maintenance_shows_its_page_also_of_a_stopped_app() {
    let world = World::new();
    let blog = world.deployed("blog");
    let server = Server::start_with(world);
    let root = server.root();
    let page = |page, html: &str| SetPage { page, html: html.to_owned() };
    root.set_page(&blog.name, &page(Page::Maintenance, "<p>Soon</p>")).await.unwrap();
    root.set_page(&blog.name, &page(Page::Status(502), "<p>Oh</p>")).await.unwrap();
    root.change_settings(&blog.name, &set(&[("maintenance", "on")])).await.unwrap();
    let routed = service(&server, &blog);
    assert_eq!(routed.state, ServiceState::Maintenance);
    assert_eq!(routed.policy.maintenance_page.as_deref(), Some("<p>Soon</p>"));
    assert_eq!(routed.policy.error_pages[&502], "<p>Oh</p>");
    root.stop(&blog.name).await.unwrap();
    assert_eq!(service(&server, &blog).state, ServiceState::Maintenance);
    root.change_settings(&blog.name, &set(&[("maintenance", "off")])).await.unwrap();
    assert_eq!(service(&server, &blog).state, ServiceState::Stopped);
    let pages = root.pages(&blog.name).await.unwrap();
    let seen: Vec<_> = pages.iter().map(|page| (page.page, page.bytes, page.source)).collect();
    assert_eq!(seen, [(Page::Maintenance, 11, Source::Command), (Page::Status(502), 9, Source::Command)]);
    let large = refusal(root.set_page(&blog.name, &page(Page::Status(404), &"a".repeat(70_000))).await);
    assert!(large.kind == ErrorKind::Refused && large.message.contains("64 KiB"), "{large:?}");
    root.unset_page(&blog.name, Page::Status(502)).await.unwrap();
    assert_eq!(refusal(root.unset_page(&blog.name, Page::Status(502)).await).kind, ErrorKind::NotFound);
    assert!(service(&server, &blog).policy.error_pages.is_empty());
}
