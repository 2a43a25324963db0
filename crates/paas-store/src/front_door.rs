use std::collections::{BTreeMap, BTreeSet};

use paas_domain::{AppId, Hostname, IpRange, Page, PathRoute, Redirect, UserName};

use crate::{
    domains::hostname,
    ip_ranges::{self, IpList},
    pages, path_routes, redirects,
    store::{Result, Store},
    users,
};

/// What commands have said about how an app's visitors come, besides its settings and domains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontDoor {
    /// Paths that lead to the app, by hostname and path.
    pub routes: Vec<PathRoute>,
    /// Hostnames it redirects, by name.
    pub redirects: Vec<Redirect>,
    /// Who may come, with the hashes of their passwords. Empty: everybody.
    pub users: BTreeMap<UserName, String>,
    /// Where visitors may come from.
    pub allow: BTreeSet<IpRange>,
    /// Which proxies before us are believed.
    pub trusted_proxies: BTreeSet<IpRange>,
    /// HTML in place of our own pages.
    pub pages: BTreeMap<Page, String>,
}

impl Store {
    /// Reads it in one go.
    pub fn front_door(&self, app: AppId) -> Result<FrontDoor> {
        self.read(|db| {
            Ok(FrontDoor {
                routes: path_routes::of_app(db, app)?,
                redirects: redirects::of_app(db, app)?,
                users: users::of_app(db, app)?,
                allow: ip_ranges::of_app(db, app, IpList::Allow)?,
                trusted_proxies: ip_ranges::of_app(db, app, IpList::TrustedProxies)?,
                pages: pages::of_app(db, app)?,
            })
        })
    }

    /// Every hostname that an app redirects or has paths of, and the app.
    pub fn all_route_hosts(&self) -> Result<Vec<(Hostname, AppId)>> {
        let rows: Vec<(String, i64)> = self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT hostname, app_id FROM redirects UNION SELECT hostname, app_id FROM path_routes ORDER BY 1, 2",
            )?;
            Ok(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })?;
        rows.into_iter().map(|(name, app)| Ok((hostname(&name)?, AppId(app)))).collect()
    }
}
