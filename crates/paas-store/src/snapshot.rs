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
    let name = directory.join(format!("paas-before-{}-{}.db", version + 1, now()));
    let fresh = name.with_extension("db.new");
    remove_if_there(&fresh)?;
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
        if entry.file_name().to_string_lossy().starts_with("paas-before-") {
            snapshots.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    snapshots.sort();
    let surplus = snapshots.len().saturating_sub(KEPT);
    snapshots.into_iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
