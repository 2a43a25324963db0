use std::collections::{BTreeMap, HashSet};

use paas_domain::{AppId, Hostname};
use paas_store::{Store, StoreError, Wanted};

/// The names that are to have a certificate, with the app each leads to. Only these ever reach an authority.
pub(crate) type Names = BTreeMap<Hostname, Option<AppId>>;

/// Reads them: the domain of the server, every deployed app's own name, every added domain, and every hostname that is redirected or has a path
/// that leads to an app. An app that is going has none. A name that leads whole to one app counts as that app's, whoever has paths of it.
pub(crate) fn wanted(store: &Store, domain: &str) -> Result<Names, StoreError> {
    let mut names = Names::new();
    names.extend(Hostname::new(domain).ok().map(|own| (own, None)));
    let apps = store.list_apps()?;
    let staying: Vec<_> = apps.iter().filter(|app| !matches!(app.wanted, Wanted::Destroyed { .. })).collect();
    let ids: HashSet<AppId> = staying.iter().map(|app| app.id).collect();
    for app in staying {
        if app.release.is_some() {
            names.extend(Hostname::of_app(&app.name, domain).map(|own| (own, Some(app.id))));
        }
    }
    for (hostname, owner) in store.all_domains()? {
        if ids.contains(&owner) {
            names.insert(hostname, Some(owner));
        }
    }
    for (hostname, owner) in store.all_route_hosts()? {
        if ids.contains(&owner) {
            names.entry(hostname).or_insert(Some(owner));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use paas_domain::{AppName, PathRoute, Redirect, RedirectStatus};
    use paas_store::{AddressPool, SecretKey};

    use super::*;

    #[test]
    fn hosts_of_routes_and_redirects_are_to_have_certificates() {
        let dir = tempfile::tempdir().unwrap();
        let key = SecretKey::create(&dir.path().join("secret.key")).unwrap();
        let pool = AddressPool::parse("10.208.0.0/12").unwrap();
        let store = Store::open(&dir.path().join("paas.db"), key, pool).unwrap();
        let app = |name| store.create_app(&AppName::new(name).unwrap(), "example.org").unwrap().id;
        let host = |text: &str| Hostname::new(text).unwrap();
        let (blog, shop) = (app("blog"), app("shop"));
        store.add_domain(shop, &host("example.com"), |_| false).unwrap();
        for route in ["example.com/blog", "paths.test.org/blog"] {
            store.add_path_route(blog, &PathRoute::parse(route, false).unwrap(), |_| true).unwrap();
        }
        let redirect = Redirect {
            host: host("www.example.com"),
            to: host("example.com"),
            status: RedirectStatus::Permanent,
        };
        store.add_redirect(shop, &redirect, |_| false).unwrap();
        let expected = |names: &[(&str, Option<AppId>)]| -> Names {
            names.iter().map(|(name, app)| (host(name), *app)).collect()
        };
        assert_eq!(
            wanted(&store, "apps.example.org").unwrap(),
            expected(&[
                ("apps.example.org", None),
                ("example.com", Some(shop)),
                ("paths.test.org", Some(blog)),
                ("www.example.com", Some(shop)),
            ])
        );
        store.set_wanted(blog, Wanted::Destroyed { volumes: false }).unwrap();
        assert!(!wanted(&store, "apps.example.org").unwrap().contains_key(&host("paths.test.org")));
    }
}
