use paas_domain::{AppId, AppName, Hostname, IpRange, Page, PathRoute, Redirect, RedirectStatus, UserName};
use paas_store::{ErrorKind, IpList, StoreError, Wanted};

use crate::support::{DOMAIN, Place, app_name, refused};

fn host(text: &str) -> Hostname {
    Hostname::new(text).unwrap()
}

fn route(text: &str) -> PathRoute {
    PathRoute::parse(text, false).unwrap()
}

fn redirect(from: &str, to: &str) -> Redirect {
    Redirect { host: host(from), to: host(to), status: RedirectStatus::Permanent }
}

fn nobody(_: &AppName) -> bool {
    false
}

fn everybody(_: &AppName) -> bool {
    true
}

#[test]
fn a_path_of_a_hostname_leads_to_one_app_in_the_way_said_last() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    assert!(store.add_path_route(blog.id, &route("example.com/blog"), nobody).unwrap());
    assert!(!store.add_path_route(blog.id, &route("example.com/blog"), nobody).unwrap(), "it did already");
    let stripped = PathRoute { strip: true, ..route("example.com/blog") };
    assert!(store.add_path_route(blog.id, &stripped, nobody).unwrap());
    let error = refused(store.add_path_route(shop.id, &stripped, everybody), ErrorKind::Conflict);
    assert!(matches!(&error, StoreError::RouteTaken { app, .. } if *app == blog.name), "{error:?}");
    assert_eq!(store.path_routes(blog.id).unwrap(), std::slice::from_ref(&stripped));
    assert_eq!(store.path_routes_of_others(shop.id).unwrap(), std::slice::from_ref(&stripped));
    assert_eq!(store.path_routes_of_others(blog.id).unwrap(), []);
    refused(store.remove_path_route(shop.id, &stripped.host, &stripped.path), ErrorKind::NotFound);
    store.remove_path_route(blog.id, &stripped.host, &stripped.path).unwrap();
    refused(store.remove_path_route(blog.id, &stripped.host, &stripped.path), ErrorKind::NotFound);
    assert!(store.add_path_route(shop.id, &stripped, nobody).unwrap());
    refused(store.add_path_route(AppId(4711), &route("example.net/x"), nobody), ErrorKind::NotFound);
}

#[test]
fn a_part_of_anothers_hostname_is_only_for_those_who_may_use_that_app() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    store.add_domain(shop.id, &host("example.com"), nobody).unwrap();
    store.add_domain(shop.id, &host("*.example.net"), nobody).unwrap();
    store.add_redirect(shop.id, &redirect("old.example.com", "example.com"), nobody).unwrap();
    store.add_path_route(shop.id, &route("shared.test/shop"), nobody).unwrap();
    for taken in ["example.com/blog", "www.example.net/blog", "old.example.com/blog", "shared.test/shop/blog"]
    {
        let error = refused(store.add_path_route(blog.id, &route(taken), nobody), ErrorKind::Conflict);
        assert!(
            matches!(&error, StoreError::DomainTaken { app, .. } if *app == shop.name),
            "{taken}: {error:?}"
        );
        assert!(store.add_path_route(blog.id, &route(taken), |app| *app == shop.name).unwrap(), "{taken}");
    }
}

#[test]
fn a_wildcard_and_the_names_below_it_are_for_those_who_may_use_both_apps() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let may_use_shop = |app: &AppName| *app == shop.name;
    store.add_domain(shop.id, &host("*.a.test"), nobody).unwrap();
    store.add_redirect(shop.id, &redirect("*.b.test", "x.test"), nobody).unwrap();
    store.add_domain(shop.id, &host("www.d.test"), nobody).unwrap();
    store.add_redirect(shop.id, &redirect("www.e.test", "x.test"), nobody).unwrap();
    store.add_path_route(shop.id, &route("www.f.test/x"), nobody).unwrap();
    for (name, told) in [
        ("www.a.test", "*.a.test"),
        ("www.b.test", "*.b.test"),
        ("*.d.test", "www.d.test"),
        ("*.e.test", "www.e.test"),
        ("*.f.test", "www.f.test"),
    ] {
        let wanted = redirect(name, "y.test");
        for error in [
            refused(store.add_domain(blog.id, &wanted.host, nobody), ErrorKind::Conflict),
            refused(store.add_redirect(blog.id, &wanted, nobody), ErrorKind::Conflict),
        ] {
            let StoreError::DomainTaken { hostname, app } = &error else { panic!("{name}: {error:?}") };
            assert_eq!((hostname, app), (&host(told), &shop.name), "{name}");
        }
        assert!(store.add_domain(blog.id, &wanted.host, may_use_shop).unwrap(), "{name}");
        assert!(!store.add_domain(blog.id, &wanted.host, nobody).unwrap(), "{name} is its own by now");
    }
    // A wildcard stands for one label: these share no visitor.
    for apart in ["a.test", "b.www.a.test", "*.www.a.test"] {
        assert!(store.add_domain(blog.id, &host(apart), nobody).unwrap(), "{apart}");
    }
}

#[test]
fn a_path_taken_early_is_no_part_of_a_name_that_becomes_anothers() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    store.add_path_route(blog.id, &route("example.com/login"), nobody).unwrap();
    refused(store.add_domain(shop.id, &host("example.com"), nobody), ErrorKind::Conflict);
    refused(store.add_redirect(shop.id, &redirect("example.com", "shop.test"), nobody), ErrorKind::Conflict);
    assert!(store.add_domain(shop.id, &host("example.com"), |app| *app == blog.name).unwrap());
    assert!(
        store.add_domain(blog.id, &host("example.com"), nobody).is_err(),
        "a domain is shared with nobody"
    );
}

#[test]
fn a_redirected_hostname_is_a_domain_of_nobody() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    store.add_domain(blog.id, &host("www.example.com"), nobody).unwrap();
    let www = redirect("www.example.com", "example.com");
    refused(store.add_redirect(shop.id, &www, everybody), ErrorKind::Conflict);
    assert!(store.add_redirect(blog.id, &www, nobody).unwrap(), "a domain of its own becomes a redirect");
    assert!(!store.add_redirect(blog.id, &www, nobody).unwrap());
    assert!(store.domains(blog.id).unwrap().is_empty());
    let found = Redirect { status: RedirectStatus::Found, ..www.clone() };
    assert!(store.add_redirect(blog.id, &found, nobody).unwrap());
    assert_eq!(store.redirects(blog.id).unwrap(), [found]);
    refused(store.add_domain(shop.id, &www.host, nobody), ErrorKind::Conflict);
    let error = refused(store.add_domain(blog.id, &www.host, nobody), ErrorKind::Conflict);
    assert!(error.to_string().contains("redirects:remove"), "{error}");
    refused(store.remove_redirect(shop.id, &www.host), ErrorKind::NotFound);
    store.remove_redirect(blog.id, &www.host).unwrap();
    assert!(store.add_domain(shop.id, &www.host, nobody).unwrap());
}

#[test]
fn the_end_of_a_wildcards_redirect_is_not_taken_away() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    store.add_domain(blog.id, &host("www.test.org"), nobody).unwrap();
    store.add_redirect(blog.id, &redirect("*.test.org", "www.test.org"), nobody).unwrap();
    let error = refused(store.remove_domain(blog.id, &host("www.test.org"), nobody), ErrorKind::Conflict);
    assert!(error.to_string().contains("redirects:remove blog *.test.org"), "{error}");
    assert_eq!(store.domains(blog.id).unwrap(), [host("www.test.org")], "it is still there");
    store.remove_redirect(blog.id, &host("*.test.org")).unwrap();
    store.remove_domain(blog.id, &host("www.test.org"), nobody).unwrap();
    // Another app's redirect is told to those who can take it away, and keeps no name of the others.
    store.add_domain(blog.id, &host("www.test.net"), nobody).unwrap();
    store.add_redirect(shop.id, &redirect("*.test.net", "www.test.net"), everybody).unwrap();
    let error = refused(store.remove_domain(blog.id, &host("www.test.net"), everybody), ErrorKind::Conflict);
    assert!(error.to_string().contains("redirects:remove shop *.test.net"), "{error}");
    store.remove_domain(blog.id, &host("www.test.net"), nobody).unwrap();
}

#[test]
fn the_redirect_that_would_lead_in_a_circle_is_named_and_no_other() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    // Led in a circle already, since its end went away: no other domain's fault.
    store.add_domain(shop.id, &host("www.a.test"), nobody).unwrap();
    store.add_redirect(blog.id, &redirect("*.a.test", "www.a.test"), everybody).unwrap();
    store.remove_domain(shop.id, &host("www.a.test"), nobody).unwrap();
    for name in ["x.a.test", "x.b.test"] {
        store.add_domain(blog.id, &host(name), everybody).unwrap();
        store.remove_domain(blog.id, &host(name), everybody).unwrap();
    }
    // By way of another app's, which comes first by name and leads in a circle then as well.
    store.add_domain(blog.id, &host("www.z.test"), nobody).unwrap();
    store.add_redirect(shop.id, &redirect("a.test", "www.z.test"), everybody).unwrap();
    store.add_redirect(blog.id, &redirect("*.z.test", "a.test"), everybody).unwrap();
    let error = refused(store.remove_domain(blog.id, &host("www.z.test"), everybody), ErrorKind::Conflict);
    let StoreError::EndOfRedirect { redirected, app, .. } = &error else { panic!("{error:?}") };
    assert_eq!((redirected, app), (&host("*.z.test"), &blog.name));
}

#[test]
fn redirects_never_go_in_a_circle() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    refused(store.add_redirect(blog.id, &redirect("a.test.org", "a.test.org"), nobody), ErrorKind::Conflict);
    store.add_redirect(blog.id, &redirect("a.test.org", "b.test.org"), nobody).unwrap();
    store.add_redirect(shop.id, &redirect("b.test.org", "c.test.org"), nobody).unwrap();
    let error = refused(
        store.add_redirect(blog.id, &redirect("c.test.org", "a.test.org"), nobody),
        ErrorKind::Conflict,
    );
    assert!(error.to_string().contains("circle"), "{error}");
    refused(store.add_redirect(blog.id, &redirect("*.x.org", "y.x.org"), nobody), ErrorKind::Conflict);
    store.add_redirect(blog.id, &redirect("*.x.org", "x.org"), nobody).unwrap();
    refused(store.add_redirect(blog.id, &redirect("x.org", "www.x.org"), nobody), ErrorKind::Conflict);
    store.add_domain(blog.id, &host("www.y.org"), nobody).unwrap();
    assert!(
        store.add_redirect(blog.id, &redirect("*.y.org", "www.y.org"), nobody).unwrap(),
        "a domain is an end"
    );
    assert_eq!(store.redirects(blog.id).unwrap().len(), 3);
}

#[test]
fn users_ranges_and_pages_are_kept_and_taken_back() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let ann = UserName::new("ann").unwrap();
    assert!(store.set_user(blog.id, &ann, "hash 1").unwrap());
    assert!(!store.set_user(blog.id, &ann, "hash 2").unwrap(), "a new password of the same user");
    let office = IpRange::new("10.0.0.0/8").unwrap();
    assert!(store.add_ip_range(blog.id, IpList::Allow, &office).unwrap());
    assert!(!store.add_ip_range(blog.id, IpList::Allow, &office).unwrap());
    refused(store.remove_ip_range(blog.id, IpList::TrustedProxies, &office), ErrorKind::NotFound);
    assert!(store.set_page(blog.id, Page::Status(502), "<p>Soon</p>").unwrap());
    assert!(!store.set_page(blog.id, Page::Status(502), "<p>Soon</p>").unwrap());
    assert!(store.set_page(blog.id, Page::Maintenance, "<p>Later</p>").unwrap());
    refused(store.set_page(blog.id, Page::Status(404), ""), ErrorKind::Invalid);
    let place = place.reopen();
    let store = &place.store;
    let door = store.front_door(blog.id).unwrap();
    assert_eq!((door.users[&ann].as_str(), door.allow.len(), door.trusted_proxies.len()), ("hash 2", 1, 0));
    assert_eq!(door.pages.keys().copied().collect::<Vec<_>>(), [Page::Maintenance, Page::Status(502)]);
    assert_eq!(store.front_door(shop.id).unwrap(), paas_store::FrontDoor::default());
    store.remove_user(blog.id, &ann).unwrap();
    refused(store.remove_user(blog.id, &ann), ErrorKind::NotFound);
    store.remove_ip_range(blog.id, IpList::Allow, &office).unwrap();
    store.unset_page(blog.id, Page::Maintenance).unwrap();
    refused(store.unset_page(blog.id, Page::Maintenance), ErrorKind::NotFound);
    assert_eq!(store.front_door(blog.id).unwrap().pages.len(), 1);
}

#[test]
fn the_pages_of_an_app_have_a_bound_together() {
    let place = Place::new();
    let blog = place.app("blog");
    let large = "a".repeat(64 << 10);
    for status in 500..508 {
        place.store.set_page(blog.id, Page::Status(status), &large).unwrap();
    }
    let error = refused(place.store.set_page(blog.id, Page::Status(508), "more"), ErrorKind::Invalid);
    assert!(error.to_string().contains("512 KiB"), "{error}");
    assert!(
        place.store.set_page(blog.id, Page::Status(507), "less").unwrap(),
        "a page is replaced, not added"
    );
}

#[test]
fn an_apps_own_hostname_changes_hands_with_nothing_of_the_owner_before() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let own = |app: &str| format!("{app}.{DOMAIN}");
    let parts = |app: &str| -> Vec<AppId> {
        let hosts = store.all_route_hosts().unwrap().into_iter();
        hosts.filter(|(name, _)| *name == host(&own(app))).map(|(_, app)| app).collect()
    };
    let take_parts = |app: &str| {
        store.add_path_route(shop.id, &route(&format!("{}/shop", own(app))), everybody).unwrap();
        store.add_redirect(blog.id, &redirect(&own(app), "example.com"), everybody).unwrap();
        assert_eq!(parts(app).len(), 2);
    };
    take_parts("blog");
    store.add_redirect(blog.id, &redirect(&own("news"), "example.com"), everybody).unwrap();
    let below = [format!("www.{}", own("blog")), format!("*.{}", own("blog"))].map(|name| host(&name));
    for name in &below {
        store.add_domain(blog.id, name, everybody).unwrap();
    }
    store.rename_app(blog.id, &blog.name, DOMAIN).unwrap();
    assert_eq!(store.domains(blog.id).unwrap().len(), 2);
    assert_eq!(parts("blog").len(), 2, "nobody else has it");
    store.rename_app(blog.id, &app_name("news"), DOMAIN).unwrap();
    assert_eq!((parts("blog"), parts("news")), (vec![], vec![]));
    assert_eq!(store.domains(blog.id).unwrap(), [], "what was below its name was its own by that name");

    take_parts("news");
    store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
    store.delete_app(blog.id, DOMAIN).unwrap();
    assert_eq!(parts("news"), []);
}

/// Names that apps got while the server's domain was another.
#[test]
fn an_apps_own_hostname_is_never_taken_from_another_app() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    let own = |app: &str| format!("{app}.{DOMAIN}");
    store.add_domain(shop.id, &host(&own("news")), nobody).unwrap();
    store.add_redirect(shop.id, &redirect(&own("wiki"), "example.com"), nobody).unwrap();
    store.add_path_route(shop.id, &route(&format!("{}/x", own("docs"))), nobody).unwrap();
    let hosts = store.all_route_hosts().unwrap();
    for (name, command) in
        [("news", "domains:remove"), ("wiki", "redirects:remove"), ("docs", "routes:remove")]
    {
        for error in [
            refused(store.create_app(&app_name(name), DOMAIN), ErrorKind::Conflict),
            refused(store.rename_app(blog.id, &app_name(name), DOMAIN), ErrorKind::Conflict),
        ] {
            let text = error.to_string();
            for part in [&own(name), "the app shop", command, "choose another name"] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }
    assert_eq!(place.again(&blog).name, blog.name);
    assert_eq!(store.domains(shop.id).unwrap(), [host(&own("news"))]);
    assert_eq!(store.all_route_hosts().unwrap(), hosts);
    // Its own domain is its own name from then on.
    store.rename_app(shop.id, &app_name("news"), DOMAIN).unwrap();
    assert_eq!(store.domains(shop.id).unwrap(), []);

    // The name given up is one that another app has: that one keeps it, with what others have of it.
    store.add_domain(shop.id, &host(&own("blog")), nobody).unwrap();
    store.add_path_route(shop.id, &route(&format!("{}/x", own("blog"))), nobody).unwrap();
    store.add_path_route(blog.id, &route(&format!("{}/y", own("blog"))), everybody).unwrap();
    store.rename_app(blog.id, &app_name("later"), DOMAIN).unwrap();
    assert_eq!(store.domains(shop.id).unwrap(), [host(&own("blog"))]);
    assert_eq!(store.path_routes(blog.id).unwrap(), []);
    store.add_redirect(shop.id, &redirect(&own("later"), "example.com"), everybody).unwrap();
    store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
    store.delete_app(blog.id, DOMAIN).unwrap();
    assert_eq!(store.redirects(shop.id).unwrap().len(), 2, "those of wiki and later");
    assert_eq!(store.path_routes(shop.id).unwrap().len(), 2);
}

#[test]
fn a_list_of_ranges_has_a_bound() {
    let place = Place::new();
    let blog = place.app("blog");
    let fill = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
        INSERT INTO ip_ranges SELECT ?1, 'allow', '10.0.' || (i / 256) || '.' || (i % 256) || '/32' FROM n";
    place.raw().execute(fill, [blog.id.0]).unwrap();
    let add = |text| place.store.add_ip_range(blog.id, IpList::Allow, &IpRange::new(text).unwrap());
    assert!(!add("10.0.0.0").unwrap(), "it is in the list");
    assert!(refused(add("10.1.0.0"), ErrorKind::Invalid).to_string().contains("1000"));
}

#[test]
fn a_destroyed_app_leaves_nothing_at_the_door() {
    let place = Place::new();
    let (blog, shop) = (place.app("blog"), place.app("shop"));
    let store = &place.store;
    store.add_path_route(blog.id, &route("example.com/blog"), nobody).unwrap();
    store.add_redirect(blog.id, &redirect("www.example.com", "example.com"), nobody).unwrap();
    store.set_user(blog.id, &UserName::new("ann").unwrap(), "hash").unwrap();
    store.add_ip_range(blog.id, IpList::Allow, &IpRange::new("::1").unwrap()).unwrap();
    store.set_page(blog.id, Page::Status(404), "<p>No</p>").unwrap();
    let hosts = store.all_route_hosts().unwrap();
    assert_eq!(hosts, [(host("example.com"), blog.id), (host("www.example.com"), blog.id)]);
    store.set_wanted(blog.id, Wanted::Destroyed { volumes: false }).unwrap();
    store.delete_app(blog.id, DOMAIN).unwrap();
    assert!(store.all_route_hosts().unwrap().is_empty());
    assert!(store.add_domain(shop.id, &host("example.com"), nobody).unwrap());
}
