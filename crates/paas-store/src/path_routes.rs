use paas_domain::{AppId, AppName, Hostname, PathRoute, RoutePath};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    apps,
    domains::hostname,
    error::{StoreError, inconsistent},
    hosts,
    store::{Result, Store, now},
};

impl Store {
    /// Paths that lead to the app, by hostname and path.
    pub fn path_routes(&self, app: AppId) -> Result<Vec<PathRoute>> {
        self.read(|db| of_app(db, app))
    }

    /// Paths that lead to other apps, by hostname and path.
    pub fn path_routes_of_others(&self, app: AppId) -> Result<Vec<PathRoute>> {
        self.read(|db| select(db, "app_id <> ?1", app))
    }

    /// Leads a path of a hostname to the app. False when it did already, in that way. `may_use` has to say yes to every other app that has a part of
    /// the hostname.
    pub fn add_path_route(
        &self,
        app: AppId,
        route: &PathRoute,
        may_use: impl Fn(&AppName) -> bool,
    ) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            hosts::check_shared(db, app, &route.host, may_use)?;
            let taken: Option<(i64, String)> = db
                .query_row(
                    "SELECT apps.id, apps.name FROM path_routes JOIN apps ON apps.id = path_routes.app_id
                     WHERE hostname = ?1 AND path = ?2 AND app_id <> ?3",
                    params![route.host.as_str(), route.path.as_str(), app.0],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            if let Some((owner, name)) = taken {
                let app = AppName::new(name).map_err(|error| inconsistent("apps", owner, error))?;
                return Err(StoreError::RouteTaken { route: route.to_string(), app });
            }
            let rows = db.execute(
                "INSERT INTO path_routes (hostname, path, app_id, strip, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (hostname, path) DO UPDATE SET strip = excluded.strip WHERE strip <> excluded.strip",
                params![route.host.as_str(), route.path.as_str(), app.0, route.strip, now()],
            )?;
            Ok(rows > 0)
        })
    }

    /// Leads it away from the app.
    pub fn remove_path_route(&self, app: AppId, host: &Hostname, path: &RoutePath) -> Result<()> {
        let sql = "DELETE FROM path_routes WHERE hostname = ?1 AND path = ?2 AND app_id = ?3";
        match self.write(|db| Ok(db.execute(sql, params![host.as_str(), path.as_str(), app.0])?))? {
            0 => Err(StoreError::NoRoute(format!("{host}{path}"))),
            _ => Ok(()),
        }
    }
}

pub(crate) fn of_app(db: &Connection, app: AppId) -> Result<Vec<PathRoute>> {
    select(db, "app_id = ?1", app)
}

fn select(db: &Connection, which: &str, app: AppId) -> Result<Vec<PathRoute>> {
    let sql = format!("SELECT hostname, path, strip FROM path_routes WHERE {which} ORDER BY hostname, path");
    let mut query = db.prepare_cached(&sql)?;
    let rows = query
        .query_map([app.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (host, path, strip) = row?;
        let path =
            RoutePath::new(path.as_str()).map_err(|error| inconsistent("path_routes", &path, error))?;
        Ok(PathRoute { host: hostname(&host)?, path, strip })
    })
    .collect()
}
