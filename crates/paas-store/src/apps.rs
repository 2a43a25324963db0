use paas_domain::{AppId, AppName, DeployId, Hostname, ReleaseId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{
    candidates,
    error::{StoreError, inconsistent},
    hosts,
    pool::Subnet,
    store::{Result, Store, now},
};

/// What the person wants of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its active release runs.
    Running,
    /// Nothing of it runs.
    Stopped,
    /// It goes away; its rows go last.
    Destroyed {
        /// Its volumes go too.
        volumes: bool,
    },
}

impl Wanted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Destroyed { volumes: false } => "destroyed",
            Self::Destroyed { volumes: true } => "destroyed_with_volumes",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Stopped, Self::Destroyed { volumes: false }, Self::Destroyed { volumes: true }]
            .into_iter()
            .find(|wanted| wanted.as_str() == word)
    }
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// For its whole life, and never given again.
    pub id: AppId,
    /// Its name now.
    pub name: AppName,
    /// Its network.
    pub subnet: Subnet,
    /// What the person wants of it.
    pub wanted: Wanted,
    /// What runs, or would run when started; `None` until a deploy succeeded.
    pub release: Option<ReleaseId>,
    /// The deploy whose containers serve; `None` when nothing should run.
    pub active_deploy: Option<DeployId>,
    /// Unix seconds.
    pub created_at: i64,
}

const COLUMNS: &str = "id, name, subnet, wanted, release_id, active_deploy, created_at";

/// A row as it is; checked outside the query.
type Raw = (i64, String, u32, String, Option<i64>, Option<i64>, i64);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

impl Store {
    /// Makes an app, with the lowest free network. `domain` is the server's: refused while another app has the app's own hostname below it, or a path
    /// of it.
    pub fn create_app(&self, name: &AppName, domain: &str) -> Result<App> {
        let pool = self.pool();
        let app = self.write(|db| {
            if find(db, name)?.is_some() {
                return Err(StoreError::AppExists(name.clone()));
            }
            if let Some(host) = Hostname::of_app(name, domain) {
                hosts::check_own(db, None, name, &host)?;
            }
            // The first gap: zero, or one more than a taken one whose successor is free.
            let index: u32 = db.query_row(
                "SELECT min(candidate) FROM (SELECT 0 AS candidate UNION ALL SELECT subnet + 1 FROM apps) WHERE candidate NOT IN (SELECT subnet FROM apps)",
                [],
                |row| row.get(0),
            )?;
            if index >= pool.subnets() {
                return Err(StoreError::PoolExhausted);
            }
            db.execute("INSERT INTO apps (name, subnet, created_at) VALUES (?1, ?2, ?3)", params![name.as_str(), index, now()])?;
            by_id(db, AppId(db.last_insert_rowid()))
        })?;
        self.app(app)
    }

    /// The app of that name, if there is one.
    pub fn find_app(&self, name: &AppName) -> Result<Option<App>> {
        self.read(|db| find(db, name))?.map(|raw| self.app(raw)).transpose()
    }

    /// The app of that name.
    pub fn get_app(&self, name: &AppName) -> Result<App> {
        self.find_app(name)?.ok_or_else(|| StoreError::NoApp(name.clone()))
    }

    /// The app of that id.
    pub fn get_app_by_id(&self, app: AppId) -> Result<App> {
        self.app(self.read(|db| by_id(db, app))?)
    }

    /// All apps, by name.
    pub fn list_apps(&self) -> Result<Vec<App>> {
        let rows = self.read(|db| {
            let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM apps ORDER BY name"))?;
            Ok(query.query_map([], raw)?.collect::<Result<Vec<_>, _>>()?)
        })?;
        rows.into_iter().map(|raw| self.app(raw)).collect()
    }

    /// Gives it another name. `domain` is the server's: nothing is left of what others had, by the right to use this app, of the hostname below it
    /// that the app gives up, nor of what this app had of the two, and below the one it gives up. Refused while another app has the one it takes, or a
    /// path of it.
    pub fn rename_app(&self, app: AppId, name: &AppName, domain: &str) -> Result<()> {
        self.write(|db| {
            match find(db, name)? {
                Some(found) if found.0 != app.0 => return Err(StoreError::AppExists(name.clone())),
                _ => {}
            }
            let (before, _) = name_and_going(db, app)?;
            if before != name.as_str() {
                if let Some(host) = Hostname::of_app(name, domain) {
                    hosts::check_own(db, Some(app), name, &host)?;
                    hosts::give_up(db, app, &host)?;
                }
                if let Some(host) = own_host(&before, domain) {
                    hosts::give_up(db, app, &host)?;
                    hosts::clear_below(db, app, &host)?;
                }
            }
            changed(
                db.execute("UPDATE apps SET name = ?2 WHERE id = ?1", params![app.0, name.as_str()])?,
                app,
            )
        })
    }

    /// Records what the person wants of it. One that is being destroyed cannot be had back: part of it may be gone.
    pub fn set_wanted(&self, app: AppId, wanted: Wanted) -> Result<()> {
        self.write(|db| {
            if !matches!(wanted, Wanted::Destroyed { .. }) {
                require_staying(db, app)?;
            }
            changed(
                db.execute("UPDATE apps SET wanted = ?2 WHERE id = ?1", params![app.0, wanted.as_str()])?,
                app,
            )
        })
    }

    /// Nothing of it is to run any more, no candidate either. Refused when it is being destroyed, which does more.
    pub fn stop_app(&self, app: AppId) -> Result<()> {
        self.write(|db| {
            require_staying(db, app)?;
            candidates::abort(db, app, candidates::STOPPED)?;
            let sql = "UPDATE apps SET wanted = 'stopped', active_deploy = NULL WHERE id = ?1";
            changed(db.execute(sql, [app.0])?, app)
        })
    }

    /// Removes every row of an app that is to be destroyed and has no container row left. Its volumes stay. `domain` is the server's: nothing is left
    /// of what other apps had, by the right to use this one, of the app's own hostname below it.
    pub fn delete_app(&self, app: AppId, domain: &str) -> Result<()> {
        self.write(|db| {
            let (name, going) = name_and_going(db, app)?;
            let containers: i64 =
                db.query_row("SELECT count(*) FROM containers WHERE app_id = ?1", [app.0], |row| row.get(0))?;
            if !going || containers > 0 {
                return Err(inconsistent("apps", app, "it is not ready to be deleted"));
            }
            if let Some(host) = own_host(&name, domain) {
                hosts::give_up(db, app, &host)?;
            }
            db.execute("UPDATE apps SET release_id = NULL, active_deploy = NULL WHERE id = ?1", [app.0])?;
            for table in [
                "settings",
                "config_vars",
                "domains",
                "path_routes",
                "redirects",
                "users",
                "ip_ranges",
                "pages",
                "added_certificates",
                "mounts",
                "scale",
                "key_apps",
                "deploys",
                "releases",
            ] {
                db.execute(&format!("DELETE FROM {table} WHERE app_id = ?1"), [app.0])?;
            }
            changed(db.execute("DELETE FROM apps WHERE id = ?1", [app.0])?, app)
        })
    }

    fn app(&self, raw: Raw) -> Result<App> {
        let (id, name, subnet, wanted, release, active_deploy, created_at) = raw;
        Ok(App {
            id: AppId(id),
            name: AppName::new(name).map_err(|error| inconsistent("apps", id, error))?,
            subnet: self.subnet(subnet, id)?,
            wanted: Wanted::parse(&wanted).ok_or_else(|| inconsistent("apps", id, "unknown wanted state"))?,
            release: release.map(ReleaseId),
            active_deploy: active_deploy.map(DeployId),
            created_at,
        })
    }
}

fn find(db: &Connection, name: &AppName) -> Result<Option<Raw>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM apps WHERE name = ?1"))?;
    Ok(query.query_row([name.as_str()], raw).optional()?)
}

fn by_id(db: &Connection, app: AppId) -> Result<Raw> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM apps WHERE id = ?1"))?;
    query.query_row([app.0], raw).optional()?.ok_or(StoreError::NoRow { what: "app", id: app.0 })
}

/// That the app is there: told in words before a foreign key tells it in code.
pub(crate) fn require(db: &Connection, app: AppId) -> Result<()> {
    name_and_going(db, app).map(|_| ())
}

/// That the app is there and is not being destroyed.
pub(crate) fn require_staying(db: &Connection, app: AppId) -> Result<()> {
    match name_and_going(db, app)? {
        (_, false) => Ok(()),
        (name, true) => {
            Err(StoreError::AppGoing(AppName::new(name).map_err(|error| inconsistent("apps", app, error))?))
        }
    }
}

/// The hostname an app has by its name; none when it is too long to be one: then nobody has it.
fn own_host(name: &str, domain: &str) -> Option<Hostname> {
    Hostname::new(&format!("{name}.{domain}")).ok()
}

/// Its name, and whether it is being destroyed.
fn name_and_going(db: &Connection, app: AppId) -> Result<(String, bool)> {
    let mut query = db.prepare_cached(
        "SELECT name, wanted IN ('destroyed', 'destroyed_with_volumes') FROM apps WHERE id = ?1",
    )?;
    let found = query.query_row([app.0], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.ok_or(StoreError::NoRow { what: "app", id: app.0 })
}

fn changed(rows: usize, app: AppId) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::NoRow { what: "app", id: app.0 }) }
}
