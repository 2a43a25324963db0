//! Who has a hostname: as a domain, as a redirect, or paths of it.

use paas_domain::{AppId, AppName, Hostname};
use rusqlite::{Connection, params};

use crate::{
    error::{StoreError, inconsistent},
    store::Result,
};

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
/// has paths of it. Without that, whoever comes first could keep a path of a name that becomes another's.
pub(crate) fn claim(
    db: &Connection,
    app: AppId,
    hostname: &Hostname,
    may_use: impl Fn(&AppName) -> bool,
) -> Result<Claim> {
    let mut claim = Claim::Free;
    for Part { owner, name, table } in parts(db, hostname)? {
        let taken = || StoreError::DomainTaken { hostname: hostname.clone(), app: name.clone() };
        match table {
            Table::Routes if owner == app || may_use(&name) => {}
            Table::Domains if owner == app => claim = Claim::Domain,
            Table::Redirects if owner == app => claim = Claim::Redirect,
            Table::Routes | Table::Domains | Table::Redirects => return Err(taken()),
        }
    }
    Ok(claim)
}

/// Whether the app may have paths of the hostname: `may_use` says yes to every other app that has a part of it, or has the wildcard it falls
/// under.
pub(crate) fn check_shared(
    db: &Connection,
    app: AppId,
    hostname: &Hostname,
    may_use: impl Fn(&AppName) -> bool,
) -> Result<()> {
    let wildcard =
        hostname.as_str().split_once('.').and_then(|(_, parent)| Hostname::new(&format!("*.{parent}")).ok());
    for host in std::iter::once(hostname).chain(wildcard.as_ref()) {
        let other = parts(db, host)?.into_iter().find(|part| part.owner != app && !may_use(&part.name));
        if let Some(other) = other {
            return Err(StoreError::DomainTaken { hostname: hostname.clone(), app: other.name });
        }
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
    owner: AppId,
    name: AppName,
    table: Table,
}

fn parts(db: &Connection, hostname: &Hostname) -> Result<Vec<Part>> {
    let mut query = db.prepare_cached(
        "SELECT apps.id, apps.name, parts.kind FROM (
             SELECT app_id, 'domains' AS kind FROM domains WHERE hostname = ?1
             UNION SELECT app_id, 'redirects' FROM redirects WHERE hostname = ?1
             UNION SELECT app_id, 'routes' FROM path_routes WHERE hostname = ?1
         ) AS parts JOIN apps ON apps.id = parts.app_id ORDER BY apps.name",
    )?;
    let rows = query.query_map(params![hostname.as_str()], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    })?;
    rows.map(|row| {
        let (owner, name, kind) = row?;
        Ok(Part {
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
