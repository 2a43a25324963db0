use paas_domain::{AppId, AppName, Hostname};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    apps,
    error::{StoreError, inconsistent},
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

    /// Leads a hostname to the app. False when it did already.
    pub fn add_domain(&self, app: AppId, hostname: &Hostname) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let taken: Option<(i64, String)> = db
                .query_row(
                    "SELECT apps.id, apps.name FROM domains JOIN apps ON apps.id = domains.app_id WHERE hostname = ?1",
                    [hostname.as_str()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            if let Some((owner, name)) = taken {
                if owner == app.0 {
                    return Ok(false);
                }
                let app = AppName::new(name).map_err(|error| inconsistent("apps", owner, error))?;
                return Err(StoreError::DomainTaken { hostname: hostname.clone(), app });
            }
            db.execute(
                "INSERT INTO domains (hostname, app_id, created_at) VALUES (?1, ?2, ?3)",
                params![hostname.as_str(), app.0, now()],
            )?;
            Ok(true)
        })
    }

    /// Leads it away from the app.
    pub fn remove_domain(&self, app: AppId, hostname: &Hostname) -> Result<()> {
        let sql = "DELETE FROM domains WHERE hostname = ?1 AND app_id = ?2";
        match self.write(|db| Ok(db.execute(sql, params![hostname.as_str(), app.0])?))? {
            0 => Err(StoreError::NoDomain(hostname.clone())),
            _ => Ok(()),
        }
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
