use paas_domain::{AppId, AppName, Hostname, Redirect};
use rusqlite::params;

use crate::{
    apps,
    error::{StoreError, inconsistent},
    hosts::{self, Claim},
    redirects,
    store::{Result, Store, now},
};

impl Store {
    /// Hostnames that were added to the app, by name.
    pub fn domains(&self, app: AppId) -> Result<Vec<Hostname>> {
        let names: Vec<String> = self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT hostname FROM domains WHERE app_id = ?1 ORDER BY hostname")?;
            Ok(query.query_map([app.0], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        names.iter().map(|name| hostname(name)).collect()
    }

    /// Leads a hostname to the app. False when it did already. `may_use` has to say yes to every other app that has paths of the hostname, the wildcard
    /// it falls under, or names below it, if it is a wildcard.
    pub fn add_domain(
        &self,
        app: AppId,
        hostname: &Hostname,
        may_use: impl Fn(&AppName) -> bool,
    ) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            match hosts::claim(db, app, hostname, may_use)? {
                Claim::Domain => return Ok(false),
                Claim::Redirect => return Err(StoreError::Redirected(hostname.clone())),
                Claim::Free => {}
            }
            db.execute(
                "INSERT INTO domains (hostname, app_id, created_at) VALUES (?1, ?2, ?3)",
                params![hostname.as_str(), app.0, now()],
            )?;
            Ok(true)
        })
    }

    /// Leads it away from the app. Refused while it keeps a redirect from leading in a circle: that of the wildcard it falls under, or one that leads on
    /// to that. The redirect may be another app's; then it is refused if `may_use` says yes to that app. Else whoever has only this app could not get
    /// rid of the name, and that redirect is left out by the proxy.
    pub fn remove_domain(
        &self,
        app: AppId,
        hostname: &Hostname,
        may_use: impl Fn(&AppName) -> bool,
    ) -> Result<()> {
        let sql = "DELETE FROM domains WHERE hostname = ?1 AND app_id = ?2";
        self.write(|db| {
            let before = redirects::circles_around(db, hostname)?;
            if db.execute(sql, params![hostname.as_str(), app.0])? == 0 {
                return Err(StoreError::NoDomain(hostname.clone()));
            }
            let mut new = redirects::circles_around(db, hostname)?.into_iter();
            match new.find(|circle| !before.contains(circle) && (circle.0 == app || may_use(&circle.1))) {
                Some((_, app, Redirect { host, .. })) => {
                    Err(StoreError::EndOfRedirect { hostname: hostname.clone(), redirected: host, app })
                }
                None => Ok(()),
            }
        })
    }

    /// Every added hostname of every app.
    pub fn all_domains(&self) -> Result<Vec<(Hostname, AppId)>> {
        let rows: Vec<(String, i64)> = self.read(|db| {
            let mut query = db.prepare_cached("SELECT hostname, app_id FROM domains ORDER BY hostname")?;
            Ok(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })?;
        rows.into_iter().map(|(name, app)| Ok((hostname(&name)?, AppId(app)))).collect()
    }
}

/// A hostname in a row.
pub(crate) fn hostname(text: &str) -> Result<Hostname> {
    Hostname::new(text).map_err(|error| inconsistent("domains", text, error))
}
