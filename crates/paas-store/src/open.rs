use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension as _};
use rusqlite_migration::{M, Migrations};
use thiserror::Error;

use crate::{
    error::StoreError,
    pool::AddressPool,
    sealed::{self, Place},
    secret_key::SecretKey,
    snapshot,
    store::{Store, now},
};

/// All migrations, oldest first. One that was released is never changed.
const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("../../../migrations/0001_initial.sql")),
    M::up(include_str!("../../../migrations/0002_certificates.sql")),
    M::up(include_str!("../../../migrations/0003_front_door.sql")),
    M::up(include_str!("../../../migrations/0004_strategies.sql")),
    M::up(include_str!("../../../migrations/0005_ends_as.sql")),
];
const CANARY: &[u8] = b"paas";

/// Why the database could not be opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file system refused.
    #[error("the database {} cannot be opened", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite refused.
    #[error("the database {} cannot be used", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The file is damaged.
    #[error("the database {} is damaged ({report}); restore it from the backups beside it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What `quick_check` said.
        report: String,
    },
    /// A newer paas has written it.
    #[error(
        "the database {} has schema {found}, and this paas knows up to {known}: install the newer paas again, or restore the snapshot it made before its upgrade",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// Ours.
        known: usize,
    },
    /// A migration failed; nothing of it remains.
    #[error("the database {} could not be brought up to date; a snapshot from before is in `backups` beside it", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite_migration::Error,
    },
    /// The key does not open what is in it.
    #[error("the secret key is not the one the database {} was made with; restore secret.key", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
}

impl Store {
    /// Opens the database, made if it is absent (mode 0600), checked, and brought up to date after a snapshot.
    pub fn open(path: &Path, key: SecretKey, pool: AddressPool) -> Result<Self, OpenError> {
        open_with(path, key, pool, MIGRATIONS)
    }
}

fn open_with(
    path: &Path,
    key: SecretKey,
    pool: AddressPool,
    migrations: &[M<'_>],
) -> Result<Store, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    // Made here, so that it never exists with a wider mode, not for a moment; SQLite gives -wal and -shm the same.
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(io)?;
    let mut connection = Connection::open(path).map_err(sqlite)?;
    configure(&connection).map_err(|source| damaged_or(path, source))?;
    check(&connection, path)?;
    migrate(&mut connection, path, migrations)?;
    let label = instance(&mut connection, path, &key)?;
    Ok(Store::of(connection, key, pool, label))
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What was acknowledged survives a power cut (https://sqlite.org/pragma.html#pragma_synchronous).
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "mmap_size", 0)?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    // Values that were removed do not stay readable in free pages.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let report: Result<String, _> = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match report {
        Ok(report) if report == "ok" => Ok(()),
        Ok(report) => Err(OpenError::Damaged { path: path.to_owned(), report }),
        Err(source) => Err(damaged_or(path, source)),
    }
}

/// SQLite says it by a code when the damage is in the first pages.
fn damaged_or(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::Damaged { path, report: source.to_string() }
        }
        _ => OpenError::Sqlite { path, source },
    }
}

fn migrate(connection: &mut Connection, path: &Path, migrations: &[M<'_>]) -> Result<(), OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(sqlite)?;
    let found = found as usize;
    let known = migrations.len();
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    if found > 0 && found < known {
        snapshot::before_migration(connection, path, found)
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    }
    Migrations::from_slice(migrations)
        .to_latest(connection)
        .map_err(|source| OpenError::Migrate { path: path.to_owned(), source })
}

/// The installation's label; made together with the canary when the database is new.
fn instance(connection: &mut Connection, path: &Path, key: &SecretKey) -> Result<String, OpenError> {
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let found: Option<(String, Vec<u8>)> = connection
        .query_row("SELECT label, canary FROM instance WHERE id = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(sqlite)?;
    let wrong_key = |_: StoreError| OpenError::WrongKey { path: path.to_owned() };
    if let Some((label, canary)) = found {
        sealed::open(key, Place::Canary, &canary).map_err(wrong_key)?;
        return Ok(label);
    }
    let label = format!("{:016x}", rand::random::<u64>());
    let canary = sealed::seal(key, Place::Canary, CANARY).map_err(wrong_key)?;
    connection
        .execute(
            "INSERT INTO instance (id, label, canary, created_at) VALUES (1, ?1, ?2, ?3)",
            (&label, canary, now()),
        )
        .map_err(sqlite)?;
    Ok(label)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    struct Place {
        dir: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            SecretKey::create(&dir.path().join("secret.key")).unwrap();
            Self { dir }
        }

        fn open(&self, migrations: &[M<'_>]) -> Result<Store, OpenError> {
            let key = SecretKey::load(&self.dir.path().join("secret.key")).unwrap();
            open_with(&self.database(), key, AddressPool::parse("10.208.0.0/12").unwrap(), migrations)
        }

        fn database(&self) -> PathBuf {
            self.dir.path().join("paas.db")
        }

        fn snapshots(&self) -> Vec<PathBuf> {
            let Ok(entries) = fs::read_dir(self.dir.path().join("backups")) else { return Vec::new() };
            entries.map(|entry| entry.unwrap().path()).collect()
        }
    }

    fn with_one_more(sql: &'static str) -> Vec<M<'static>> {
        MIGRATIONS.iter().cloned().chain([M::up(sql)]).collect()
    }

    #[test]
    fn sqlite_has_the_wal_reset_fix() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }

    #[test]
    fn the_migrations_are_valid() {
        Migrations::from_slice(MIGRATIONS).validate().unwrap();
    }

    #[test]
    fn a_database_keeps_its_label_and_its_mode() {
        let place = Place::new();
        let label = place.open(MIGRATIONS).unwrap().instance_label().to_owned();
        assert_eq!(label.len(), 16);
        assert_eq!(place.open(MIGRATIONS).unwrap().instance_label(), label);
        assert_eq!(fs::metadata(place.database()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(place.snapshots().is_empty(), "nothing was migrated");
    }

    #[test]
    fn a_migration_has_a_snapshot_before_it_and_a_failed_one_changes_nothing() {
        let place = Place::new();
        place.open(MIGRATIONS).unwrap();
        let broken = with_one_more("CREATE TABLE more (x INTEGER) STRICT; SELECT no_such();");
        assert!(matches!(place.open(&broken), Err(OpenError::Migrate { .. })));
        place.open(MIGRATIONS).unwrap();
        let newer = with_one_more("CREATE TABLE more (x INTEGER) STRICT;");
        place.open(&newer).unwrap();
        let snapshots = place.snapshots();
        assert!(!snapshots.is_empty());
        let snapshot = Connection::open(&snapshots[0]).unwrap();
        let version: i64 = snapshot.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(version).unwrap(), MIGRATIONS.len());
        assert_eq!(fs::metadata(&snapshots[0]).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn deploys_keep_their_rows_and_references_when_their_table_is_made_anew() {
        let place = Place::new();
        let before = MIGRATIONS.iter().position(|migration| format!("{migration:?}").contains("old_deploys"));
        place.open(&MIGRATIONS[..before.unwrap()]).unwrap();
        let raw = Connection::open(place.database()).unwrap();
        raw.execute_batch(
            "INSERT INTO apps (id, name, subnet, created_at) VALUES (1, 'blog', 0, 0);
             INSERT INTO releases (id, app_id, version, image, description, created_by, sealed_spec, created_at)
                 VALUES (1, 1, 1, 'sha256:a', 'A change', 'ann', x'', 0);
             INSERT INTO deploys (id, app_id, kind, state, release_id, requested_by, created_at, updated_at)
                 VALUES (4, 1, 'push', 'done', 1, 'ann', 5, 6), (9, 1, 'push', 'failed', NULL, 'ann', 7, 8);
             DELETE FROM deploys WHERE id = 9;
             UPDATE apps SET active_deploy = 4, release_id = 1;
             INSERT INTO containers (app_id, deploy_id, release_id, number, name, address) VALUES (1, 4, 1, 1, 'c', 2);",
        )
        .unwrap();
        drop(raw);
        let store = place.open(MIGRATIONS).unwrap();
        let row = store.get_deploy(paas_domain::DeployId(4)).unwrap();
        assert_eq!((row.state.as_str(), row.strategy.as_str(), row.share), ("done", "rolling", None));
        assert_eq!((row.created_at, row.updated_at), (5, 6));
        let raw = Connection::open(place.database()).unwrap();
        raw.pragma_update(None, "foreign_keys", "ON").unwrap();
        raw.execute("DELETE FROM deploys WHERE id = 4", []).unwrap_err();
        let next = "INSERT INTO deploys (app_id, kind, state, requested_by, created_at, updated_at) VALUES (1, 'push', 'queued', 'ann', 0, 0)";
        raw.execute(next, []).unwrap();
        assert_eq!(raw.last_insert_rowid(), 10, "an id is never given again");
    }

    #[test]
    fn a_newer_schema_is_refused_with_the_reason() {
        let place = Place::new();
        let newer = with_one_more("CREATE TABLE more (x INTEGER) STRICT;");
        place.open(&newer).unwrap();
        let error = place.open(MIGRATIONS).unwrap_err().to_string();
        let known = MIGRATIONS.len();
        assert!(
            error.contains(&format!("schema {}", known + 1)) && error.contains(&format!("up to {known}")),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_key_and_a_damaged_file_are_told_apart() {
        let place = Place::new();
        place.open(MIGRATIONS).unwrap();
        let other = SecretKey::create(&place.dir.path().join("other.key")).unwrap();
        let pool = AddressPool::parse("10.208.0.0/12").unwrap();
        assert!(matches!(Store::open(&place.database(), other, pool), Err(OpenError::WrongKey { .. })));
        let whole = fs::read(place.database()).unwrap();
        let mut torn = whole.clone();
        torn[whole.len() / 2..].fill(0xa5);
        for damaged in [b"SQLite format 3\0 and then nothing of it".repeat(100), b"a text".repeat(100), torn]
        {
            fs::write(place.database(), damaged).unwrap();
            let refused = place.open(MIGRATIONS);
            assert!(matches!(refused, Err(OpenError::Damaged { .. })), "{refused:?}");
        }
        fs::write(place.database(), whole).unwrap();
        place.open(MIGRATIONS).unwrap();
    }
}
