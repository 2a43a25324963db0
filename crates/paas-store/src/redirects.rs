use paas_domain::{AppId, AppName, Hostname, LONGEST_REDIRECT_CHAIN, Redirect, RedirectStatus};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{
    apps,
    domains::hostname,
    error::{StoreError, inconsistent},
    hosts::{self, Claim},
    store::{Result, Store, now},
};

impl Store {
    /// Hostnames the app redirects, by name.
    pub fn redirects(&self, app: AppId) -> Result<Vec<Redirect>> {
        self.read(|db| of_app(db, app))
    }

    /// Hostnames that other apps redirect, by name.
    pub fn redirects_of_others(&self, app: AppId) -> Result<Vec<Redirect>> {
        self.read(|db| select(db, "app_id <> ?1", app))
    }

    /// Redirects a hostname. False when it was already, in that way. One that leads to the app does not any more: from then on it is redirected.
    /// `may_use` has to say yes to the apps that [`Store::add_domain`] asks for.
    pub fn add_redirect(
        &self,
        app: AppId,
        redirect: &Redirect,
        may_use: impl Fn(&AppName) -> bool,
    ) -> Result<bool> {
        let Redirect { host, to, status } = redirect;
        self.write(|db| {
            apps::require(db, app)?;
            if hosts::claim(db, app, host, may_use)? == Claim::Domain {
                db.execute("DELETE FROM domains WHERE hostname = ?1", [host.as_str()])?;
            }
            if leads_to(db, to, host)? {
                return Err(StoreError::RedirectCircle { host: host.clone(), to: to.clone() });
            }
            let rows = db.execute(
                "INSERT INTO redirects (hostname, app_id, to_hostname, status, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (hostname) DO UPDATE SET to_hostname = excluded.to_hostname, status = excluded.status
                 WHERE to_hostname <> excluded.to_hostname OR status <> excluded.status",
                params![host.as_str(), app.0, to.as_str(), status.code(), now()],
            )?;
            Ok(rows > 0)
        })
    }

    /// Redirects it no more.
    pub fn remove_redirect(&self, app: AppId, host: &Hostname) -> Result<()> {
        let sql = "DELETE FROM redirects WHERE hostname = ?1 AND app_id = ?2";
        match self.write(|db| Ok(db.execute(sql, params![host.as_str(), app.0])?))? {
            0 => Err(StoreError::NoRedirect(host.clone())),
            _ => Ok(()),
        }
    }
}

pub(crate) fn of_app(db: &Connection, app: AppId) -> Result<Vec<Redirect>> {
    select(db, "app_id = ?1", app)
}

fn select(db: &Connection, which: &str, app: AppId) -> Result<Vec<Redirect>> {
    let sql = format!("SELECT hostname, to_hostname, status FROM redirects WHERE {which} ORDER BY hostname");
    let mut query = db.prepare_cached(&sql)?;
    query.query_map([app.0], |row| raw(row, 0))?.map(|row| checked(row?)).collect()
}

/// Host, where to, status, as they are in a row.
type Raw = (String, String, u16);

fn raw(row: &Row<'_>, first: usize) -> rusqlite::Result<Raw> {
    Ok((row.get(first)?, row.get(first + 1)?, row.get(first + 2)?))
}

fn checked((host, to, status): Raw) -> Result<Redirect> {
    let status = RedirectStatus::try_from(status).map_err(|error| inconsistent("redirects", &host, error))?;
    Ok(Redirect { host: hostname(&host)?, to: hostname(&to)?, status })
}

/// Redirects of all apps that lead in a circle, with their apps, by name; the one whose visitors come to `end` when nobody else has that is first. Empty
/// when there is no such one: then no redirect depends on who has `end`.
pub(crate) fn circles_around(db: &Connection, end: &Hostname) -> Result<Vec<(AppId, AppName, Redirect)>> {
    let fallen_to = wildcard_above(end);
    let sql = "SELECT EXISTS (SELECT 1 FROM redirects WHERE hostname = ?1)";
    if !db.query_row(sql, [&fallen_to], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let mut query = db.prepare_cached(
        "SELECT apps.id, apps.name, hostname, to_hostname, status FROM redirects JOIN apps ON apps.id = app_id
         ORDER BY hostname <> ?1, hostname",
    )?;
    let rows = query.query_map([&fallen_to], |row| Ok((row.get(0)?, row.get(1)?, raw(row, 2)?)))?;
    let rows: Vec<(i64, String, Raw)> = rows.collect::<Result<_, _>>()?;
    let mut circles = Vec::new();
    for (owner, name, row) in rows {
        let redirect = checked(row)?;
        if leads_to(db, &redirect.to, &redirect.host)? {
            let name = AppName::new(name).map_err(|error| inconsistent("apps", owner, error))?;
            circles.push((AppId(owner), name, redirect));
        }
    }
    Ok(circles)
}

/// Whether a visitor of `from` is sent, in some steps, to `host`. A wildcard's redirect counts for the names below it that are nobody's domain.
fn leads_to(db: &Connection, from: &Hostname, host: &Hostname) -> Result<bool> {
    let mut at = from.clone();
    for _ in 0..LONGEST_REDIRECT_CHAIN {
        let sql = "SELECT EXISTS (SELECT 1 FROM domains WHERE hostname = ?1)";
        if db.query_row(sql, [at.as_str()], |row| row.get(0))? {
            return Ok(false);
        }
        if at.is_covered_by([host.as_str()]) {
            return Ok(true);
        }
        let wildcard = wildcard_above(&at);
        let next: Option<String> = db
            .query_row(
                "SELECT to_hostname FROM redirects WHERE hostname IN (?1, ?2) ORDER BY hostname = ?1 DESC LIMIT 1",
                params![at.as_str(), wildcard],
                |row| row.get(0),
            )
            .optional()?;
        match next {
            Some(next) => at = hostname(&next)?,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// The wildcard that visitors of the hostname fall to when nobody has it.
fn wildcard_above(host: &Hostname) -> String {
    host.as_str().split_once('.').map(|(_, parent)| format!("*.{parent}")).unwrap_or_default()
}
