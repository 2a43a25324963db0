use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{secret_key::sync_parent, store::now};

/// How many snapshots stay.
const KEPT: usize = 5;

/// Copies the database to `backups/` beside it before its schema changes. The copy is whole and on the disk when this returns.
pub(crate) fn before_migration(connection: &Connection, database: &Path, version: usize) -> io::Result<()> {
    let directory = database.with_file_name("backups");
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    sync_parent(&directory)?;
    remove_unfinished(&directory)?;
    let name = directory.join(format!("paas-before-{}-{}.db", version + 1, now()));
    let fresh = name.with_extension("db.new");
    let target = fresh.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    // VACUUM INTO syncs at this connection's level, which is FULL (https://sqlite.org/lang_vacuum.html).
    connection.execute("VACUUM INTO ?1", [target]).map_err(io::Error::other)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    File::open(&fresh)?.sync_all()?;
    fs::rename(&fresh, &name)?;
    sync_parent(&name)?;
    remove_oldest(&directory)
}

fn remove_oldest(directory: &Path) -> io::Result<()> {
    let mut snapshots: Vec<(std::time::SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if is_snapshot(&entry.path(), ".db") {
            snapshots.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    snapshots.sort();
    let surplus = snapshots.len().saturating_sub(KEPT);
    snapshots.into_iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

/// What a crash left: half a copy must not count as one.
fn remove_unfinished(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if is_snapshot(&path, ".db.new") || is_snapshot(&path, ".db.new-journal") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn is_snapshot(path: &Path, suffix: &str) -> bool {
    path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.starts_with("paas-before-") && name.ends_with(suffix)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_newest_five_stay_and_unfinished_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("paas.db");
        let connection = Connection::open(&database).unwrap();
        connection.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (4711);").unwrap();
        let backups = dir.path().join("backups");
        for version in 1..=7 {
            before_migration(&connection, &database, version).unwrap();
            // Of one second: the clock of the file system decides, and it must not have to.
            let made = names(&backups)
                .into_iter()
                .find(|name| name.starts_with(&format!("paas-before-{}-", version + 1)));
            let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(version as u64);
            File::options().write(true).open(backups.join(made.unwrap())).unwrap().set_modified(at).unwrap();
        }
        fs::write(backups.join("paas-before-9-1.db.new"), b"half").unwrap();
        fs::write(backups.join("notes.txt"), b"a person's own").unwrap();
        before_migration(&connection, &database, 8).unwrap();
        let left = names(&backups);
        assert_eq!(left.iter().filter(|name| name.starts_with("paas-before-")).count(), KEPT, "{left:?}");
        assert_eq!(left.len(), KEPT + 1, "a file that is not ours stays, an unfinished one goes: {left:?}");
        for version in [5, 6, 7, 8, 9] {
            assert!(left.iter().any(|name| name.starts_with(&format!("paas-before-{version}-"))), "{left:?}");
        }
        let newest = left.iter().find(|name| name.starts_with("paas-before-9-")).unwrap();
        let copy = Connection::open(backups.join(newest)).unwrap();
        assert_eq!(copy.query_row("SELECT x FROM t", [], |row| row.get::<_, i64>(0)).unwrap(), 4711);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&backups), mode(&backups.join(newest))), (0o700, 0o600));
    }
}
