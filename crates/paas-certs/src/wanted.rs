use std::collections::{BTreeMap, HashSet};

use paas_domain::{AppId, Hostname};
use paas_store::{Store, StoreError, Wanted};

/// The names that are to have a certificate, with the app each leads to. Only these ever reach an authority.
pub(crate) type Names = BTreeMap<Hostname, Option<AppId>>;

/// Reads them: the domain of the server, every deployed app's own name, and every added domain. An app that is going has none.
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
    Ok(names)
}
