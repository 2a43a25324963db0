use paas_domain::{AppId, Mount, MountPath, VolumeName};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    apps,
    error::StoreError,
    store::{Result, Store},
    volumes::{self, mount_path, volume_name},
};

/// Which mounts of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountRef {
    /// Wherever that volume is mounted.
    Volume(VolumeName),
    /// What is mounted there.
    Path(MountPath),
}

impl Store {
    /// Mounts a volume into the app. False when it was mounted there already.
    pub fn mount(&self, app: AppId, volume: &VolumeName, path: &MountPath) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let id = volumes::id(db, volume)?.ok_or_else(|| StoreError::NoVolume(volume.clone()))?;
            let going: bool = db.query_row("SELECT destroying FROM volumes WHERE id = ?1", [id], |row| row.get(0))?;
            if going {
                return Err(StoreError::VolumeGoing(volume.clone()));
            }
            let taken: Option<String> = db
                .query_row(
                    "SELECT volumes.name FROM mounts JOIN volumes ON volumes.id = volume_id WHERE app_id = ?1 AND path = ?2",
                    params![app.0, path.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            match taken {
                Some(name) if name == volume.as_str() => Ok(false),
                Some(name) => Err(StoreError::PathTaken { path: path.clone(), volume: volume_name(&name)? }),
                None => {
                    db.execute(
                        "INSERT INTO mounts (app_id, path, volume_id) VALUES (?1, ?2, ?3)",
                        params![app.0, path.as_str(), id],
                    )?;
                    Ok(true)
                }
            }
        })
    }

    /// Takes mounts out of the app and says which; their data stays.
    pub fn unmount(&self, app: AppId, what: &MountRef) -> Result<Vec<Mount>> {
        self.write(|db| {
            let gone: Vec<Mount> = mounts(db, app)?
                .into_iter()
                .filter(|mount| match what {
                    MountRef::Volume(volume) => mount.volume == *volume,
                    MountRef::Path(path) => mount.path == *path,
                })
                .collect();
            if gone.is_empty() {
                let shown = match what {
                    MountRef::Volume(volume) => volume.to_string(),
                    MountRef::Path(path) => path.to_string(),
                };
                return Err(StoreError::NotMounted(shown));
            }
            for mount in &gone {
                db.execute(
                    "DELETE FROM mounts WHERE app_id = ?1 AND path = ?2",
                    params![app.0, mount.path.as_str()],
                )?;
            }
            Ok(gone)
        })
    }

    /// What commands mount into the app, by path.
    pub fn mounts(&self, app: AppId) -> Result<Vec<Mount>> {
        self.read(|db| mounts(db, app))
    }
}

fn mounts(db: &Connection, app: AppId) -> Result<Vec<Mount>> {
    let mut query = db.prepare_cached(
        "SELECT volumes.name, path FROM mounts JOIN volumes ON volumes.id = volume_id WHERE app_id = ?1 ORDER BY path",
    )?;
    let rows: Vec<(String, String)> =
        query.query_map([app.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    rows.iter()
        .map(|(volume, path)| Ok(Mount { volume: volume_name(volume)?, path: mount_path(path)? }))
        .collect()
}
