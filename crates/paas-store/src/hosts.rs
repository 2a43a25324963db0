//! Who has a hostname: as a domain, as a redirect, or paths of it.

use paas_domain::{AppId, AppName, Hostname};
use rusqlite::{Connection, params};

use crate::{
    domains::hostname,
    error::{StoreError, inconsistent},
    store::{Result, Store},
};

impl Store {
    /// The app that has a hostname whole, as a domain or as a redirect. The hostname of an app's own name is nobody's here.
    pub fn host_owner(&self, hostname: &Hostname) -> Result<Option<AppId>> {
        let parts = self.read(|db| parts(db, hostname))?;
        Ok(parts.into_iter().find(|part| part.table != Table::Routes).map(|part| part.owner))
    }
}

/// What a hostname is to an app that may have it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nobody has it, but for paths of it.
    Free,
    /// It leads to this app already.
    Domain,
    /// This app redirects it.
    Redirect,
}

/// Whether the app may have the hostname whole: no other app has it as a domain or a redirect, and `may_use` says yes to every other app that
/// has paths of it, that has the wildcard it falls under, or that has names below it, if it is a wildcard. Without that, whoever comes first could
/// keep a path of a name that becomes another's, and whoever comes later could take a name out of another's wildcard.
pub(crate) fn claim(
    db: &Connection,
    app: AppId,
    hostname: &Hostname,
    may_use: impl Fn(&AppName) -> bool,
) -> Result<Claim> {
    let mut claim = Claim::Free;
    for part in parts(db, hostname)? {
        match part.table {
            Table::Routes if part.owner == app || may_use(&part.name) => {}
            Table::Domains if part.owner == app => claim = Claim::Domain,
            Table::Redirects if part.owner == app => claim = Claim::Redirect,
            Table::Routes | Table::Domains | Table::Redirects => return Err(part.taken()),
        }
    }
    if claim == Claim::Free {
        ask(app, around(db, hostname)?, may_use)?;
    }
    Ok(claim)
}

/// Whether the app may have paths of the hostname: `may_use` says yes to every other app that has a part of it, has the wildcard it falls
/// under, or has names below it, if it is a wildcard.
pub(crate) fn check_shared(
    db: &Connection,
    app: AppId,
    hostname: &Hostname,
    may_use: impl Fn(&AppName) -> bool,
) -> Result<()> {
    ask(app, parts(db, hostname)?.into_iter().chain(around(db, hostname)?), may_use)
}

fn ask(app: AppId, parts: impl IntoIterator<Item = Part>, may_use: impl Fn(&AppName) -> bool) -> Result<()> {
    match parts.into_iter().find(|part| part.owner != app && !may_use(&part.name)) {
        Some(other) => Err(other.taken()),
        None => Ok(()),
    }
}

/// Whether an app may have the hostname of its own name: no other app has it, whole or in part. One may, from a time when the server's domain was
/// another. `app` is none while the app is being made.
pub(crate) fn check_own(
    db: &Connection,
    app: Option<AppId>,
    name: &AppName,
    hostname: &Hostname,
) -> Result<()> {
    match parts(db, hostname)?.into_iter().find(|part| Some(part.owner) != app) {
        Some(Part { hostname, name: owner, table, .. }) => {
            let command = match table {
                Table::Domains => "domains:remove",
                Table::Redirects => "redirects:remove",
                Table::Routes => "routes:remove",
            };
            Err(StoreError::OwnHostTaken { name: name.clone(), hostname, app: owner, command })
        }
        None => Ok(()),
    }
}

/// Takes the hostname of an app's own name from it, and the paths that others had of it: they had them with the right to use that app. What
/// another app has whole is that one's, from a time when the server's domain was another, and stays with its paths.
pub(crate) fn give_up(db: &Connection, app: AppId, hostname: &Hostname) -> Result<()> {
    let is_anothers = |part: &Part| part.owner != app && part.table != Table::Routes;
    let only_own = parts(db, hostname)?.iter().any(is_anothers);
    for table in ["domains", "redirects", "path_routes"] {
        let sql = format!("DELETE FROM {table} WHERE hostname = ?1 AND (app_id = ?2 OR NOT ?3)");
        db.execute(&sql, params![hostname.as_str(), app.0, only_own])?;
    }
    Ok(())
}

/// Takes from an app every name below a hostname.
pub(crate) fn clear_below(db: &Connection, app: AppId, hostname: &Hostname) -> Result<()> {
    for table in ["domains", "redirects", "path_routes"] {
        // A hostname has no wildcard of LIKE in it.
        let sql = format!("DELETE FROM {table} WHERE app_id = ?1 AND hostname LIKE '%.' || ?2");
        db.execute(&sql, params![app.0, hostname.as_str()])?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Domains,
    Redirects,
    Routes,
}

struct Part {
    hostname: Hostname,
    owner: AppId,
    name: AppName,
    table: Table,
}

impl Part {
    fn taken(self) -> StoreError {
        StoreError::DomainTaken { hostname: self.hostname, app: self.name }
    }
}

const NAMED: &str = "hostname = ?1";
/// One label below: what a wildcard stands for, as the proxy reads it.
const ONE_BELOW: &str = "substr(hostname, instr(hostname, '.') + 1) = ?1 AND hostname NOT LIKE '*.%'";

/// Who has the hostname, whole or in part.
fn parts(db: &Connection, hostname: &Hostname) -> Result<Vec<Part>> {
    find(db, NAMED, hostname.as_str())
}

/// Who has what shares visitors with the hostname: the wildcard it falls under, or the names that it stands for as a wildcard.
fn around(db: &Connection, hostname: &Hostname) -> Result<Vec<Part>> {
    match hostname.as_str().split_once('.') {
        Some(("*", parent)) => find(db, ONE_BELOW, parent),
        Some((_, parent)) => find(db, NAMED, &format!("*.{parent}")),
        None => Ok(Vec::new()),
    }
}

fn find(db: &Connection, which: &str, name: &str) -> Result<Vec<Part>> {
    let mut query = db.prepare_cached(&format!(
        "SELECT apps.id, apps.name, parts.kind, parts.hostname FROM (
             SELECT app_id, 'domains' AS kind, hostname FROM domains WHERE {which}
             UNION SELECT app_id, 'redirects', hostname FROM redirects WHERE {which}
             UNION SELECT app_id, 'routes', hostname FROM path_routes WHERE {which}
         ) AS parts JOIN apps ON apps.id = parts.app_id ORDER BY apps.name",
    ))?;
    let rows = query.query_map([name], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    rows.map(|row| {
        let (owner, name, kind, host) = row?;
        Ok(Part {
            hostname: hostname(&host)?,
            owner: AppId(owner),
            name: AppName::new(name).map_err(|error| inconsistent("apps", owner, error))?,
            table: match kind.as_str() {
                "domains" => Table::Domains,
                "redirects" => Table::Redirects,
                _ => Table::Routes,
            },
        })
    })
    .collect()
}
