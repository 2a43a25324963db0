//! The installation's database, read only: what the tests know of it is written here and nowhere else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// A reader of `paas.db`.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
}

/// A deploy's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployRow {
    /// Its id.
    pub id: i64,
    /// Its state.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
}

impl Database {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// The installation's id, which is the label on everything it makes.
    pub fn instance(&self) -> String {
        self.query("SELECT label FROM instance", |row| row.get(0)).remove(0)
    }

    /// All deploys of an app, the oldest first.
    pub fn deploys(&self, app: &str) -> Vec<DeployRow> {
        let sql = "SELECT deploys.id, state, error FROM deploys JOIN apps ON apps.id = app_id WHERE name = ?1 ORDER BY deploys.id";
        self.query_with(sql, [app], |row| {
            Ok(DeployRow { id: row.get(0)?, state: row.get(1)?, error: row.get(2)? })
        })
    }

    /// The deploys that have not ended, as `id state`.
    pub fn unfinished_deploys(&self) -> Vec<String> {
        let sql = "SELECT id || ' ' || state FROM deploys \
            WHERE state NOT IN ('candidate', 'done', 'failed', 'cancelled', 'superseded', 'interrupted', 'aborted')";
        self.query(sql, |row| row.get(0))
    }

    /// The names of the containers that should be.
    pub fn wanted_containers(&self) -> Vec<String> {
        self.query("SELECT name FROM containers ORDER BY name", |row| row.get(0))
    }

    /// The containers whose deploy is neither the active one nor the candidate of their app.
    pub fn stray_containers(&self) -> Vec<String> {
        let sql = "SELECT containers.name FROM containers JOIN apps ON apps.id = containers.app_id \
            WHERE containers.deploy_id IS NOT apps.active_deploy \
            AND containers.deploy_id NOT IN (SELECT id FROM deploys WHERE state = 'candidate')";
        self.query(sql, |row| row.get(0))
    }

    /// The ids of the apps.
    pub fn app_ids(&self) -> Vec<i64> {
        self.query("SELECT id FROM apps ORDER BY id", |row| row.get(0))
    }

    /// Every column of every table as bytes, to look for a secret in.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = std::fs::read(&self.path).unwrap_or_default();
        bytes.extend(std::fs::read(self.path.with_extension("db-wal")).unwrap_or_default());
        bytes
    }

    fn query<T>(&self, sql: &str, map: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
        self.query_with(sql, [], map)
    }

    fn query_with<T, P: rusqlite::Params>(
        &self,
        sql: &str,
        params: P,
        map: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.path, flags).expect("the database of the installation");
        connection.busy_timeout(Duration::from_secs(10)).expect("a busy timeout");
        let mut statement = connection.prepare(sql).expect("a statement that fits the schema");
        let rows = statement.query_map(params, map).expect("a query");
        rows.collect::<Result<_, _>>().expect("rows")
    }
}
