use std::collections::BTreeSet;

use paas_domain::{AppId, AppName, MountPath, ReleaseId, VolumeName};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    deploys::ENDED,
    error::{StoreError, inconsistent},
    store::{Result, Store, now},
};

/// Apps on their way out do not count as users of a volume.
const STAYING: &str = "apps.wanted NOT IN ('destroyed', 'destroyed_with_volumes')";

/// A volume of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name.
    pub name: VolumeName,
    /// It is being removed.
    pub destroying: bool,
    /// Unix seconds.
    pub created_at: i64,
    /// Apps that mount it by command, and where.
    pub mounted_by: Vec<(AppName, MountPath)>,
}

impl Store {
    /// Makes a volume.
    pub fn create_volume(&self, name: &VolumeName) -> Result<Volume> {
        self.write(|db| match volume(db, name) {
            Ok(found) if found.destroying => Err(StoreError::VolumeGoing(name.clone())),
            Ok(_) => Err(StoreError::VolumeExists(name.clone())),
            Err(StoreError::NoVolume(_)) => {
                insert(db, name)?;
                volume(db, name)
            }
            Err(error) => Err(error),
        })
    }

    /// Makes it unless it is there. One that is being removed cannot be had.
    pub fn ensure_volume(&self, name: &VolumeName) -> Result<Volume> {
        let found = match self.get_volume(name) {
            // The usual case needs no write.
            Ok(found) => found,
            Err(StoreError::NoVolume(_)) => self.write(|db| {
                if id(db, name)?.is_none() {
                    insert(db, name)?;
                }
                volume(db, name)
            })?,
            Err(error) => return Err(error),
        };
        if found.destroying { Err(StoreError::VolumeGoing(name.clone())) } else { Ok(found) }
    }

    /// The volume of that name.
    pub fn get_volume(&self, name: &VolumeName) -> Result<Volume> {
        self.read(|db| volume(db, name))
    }

    /// All volumes, by name.
    pub fn list_volumes(&self) -> Result<Vec<Volume>> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT name FROM volumes ORDER BY name")?;
            let names: Vec<String> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            names.iter().map(|name| volume(db, &volume_name(name)?)).collect()
        })
    }

    /// The volumes that commands mount into the app.
    pub fn volumes_of(&self, app: AppId) -> Result<Vec<VolumeName>> {
        let mut names: Vec<VolumeName> = self.mounts(app)?.into_iter().map(|mount| mount.volume).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Records that it is to be removed; refused while an app that stays mounts it.
    pub fn mark_volume_destroying(&self, name: &VolumeName) -> Result<()> {
        self.write(|db| {
            let id = id(db, name)?.ok_or_else(|| StoreError::NoVolume(name.clone()))?;
            let mut query = db.prepare_cached(&format!(
                "SELECT DISTINCT apps.name FROM mounts JOIN apps ON apps.id = mounts.app_id WHERE volume_id = ?1 AND {STAYING} ORDER BY 1"
            ))?;
            let mut apps: BTreeSet<String> = query.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
            apps.extend(self.apps_whose_code_uses(db, name)?);
            if !apps.is_empty() {
                let apps: Vec<String> = apps.into_iter().collect();
                return Err(StoreError::VolumeInUse { volume: name.clone(), apps: apps.join(", ") });
            }
            db.execute("UPDATE volumes SET destroying = 1 WHERE id = ?1", [id])?;
            Ok(())
        })
    }

    /// What an image or a paas.toml declares is in no table but in the releases: the current one of each app, and those being deployed.
    fn apps_whose_code_uses(&self, db: &Connection, volume: &VolumeName) -> Result<Vec<String>> {
        let mut query = db.prepare_cached(&format!(
            "SELECT apps.name, apps.release_id FROM apps WHERE release_id IS NOT NULL AND {STAYING}
             UNION
             SELECT apps.name, deploys.release_id FROM deploys JOIN apps ON apps.id = deploys.app_id
             WHERE deploys.release_id IS NOT NULL AND {STAYING}
               AND state NOT IN {ENDED}"
        ))?;
        let rows: Vec<(String, i64)> =
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut users = Vec::new();
        for (app, release) in rows {
            let spec = self.release(db, ReleaseId(release))?.spec;
            if spec.mounts.iter().any(|mount| mount.volume == *volume) {
                users.push(app);
            }
        }
        Ok(users)
    }

    /// Forgets a volume that was marked and is gone from the engine; absent is fine, and one that was not marked stays.
    pub fn delete_volume(&self, name: &VolumeName) -> Result<()> {
        self.write(|db| {
            db.execute("DELETE FROM mounts WHERE volume_id = (SELECT id FROM volumes WHERE name = ?1 AND destroying = 1)", [name.as_str()])?;
            db.execute("DELETE FROM volumes WHERE name = ?1 AND destroying = 1", [name.as_str()])?;
            Ok(())
        })
    }
}

pub(crate) fn id(db: &Connection, name: &VolumeName) -> Result<Option<i64>> {
    Ok(db
        .query_row("SELECT id FROM volumes WHERE name = ?1", [name.as_str()], |row| row.get(0))
        .optional()?)
}

pub(crate) fn volume_name(text: &str) -> Result<VolumeName> {
    VolumeName::new(text).map_err(|error| inconsistent("volumes", text, error))
}

pub(crate) fn mount_path(text: &str) -> Result<MountPath> {
    MountPath::new(text).map_err(|error| inconsistent("mounts", text, error))
}

fn insert(db: &Connection, name: &VolumeName) -> Result<()> {
    db.execute("INSERT INTO volumes (name, created_at) VALUES (?1, ?2)", params![name.as_str(), now()])?;
    Ok(())
}

fn volume(db: &Connection, name: &VolumeName) -> Result<Volume> {
    let found: Option<(i64, bool, i64)> = db
        .query_row("SELECT id, destroying, created_at FROM volumes WHERE name = ?1", [name.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let (id, destroying, created_at) = found.ok_or_else(|| StoreError::NoVolume(name.clone()))?;
    let mut query = db.prepare_cached(
        "SELECT apps.name, mounts.path FROM mounts JOIN apps ON apps.id = mounts.app_id WHERE volume_id = ?1 ORDER BY 1, 2",
    )?;
    let users: Vec<(String, String)> =
        query.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mounted_by = users.into_iter().map(|(app, path)| {
        let app = AppName::new(app.as_str()).map_err(|error| inconsistent("apps", &app, error))?;
        Ok((app, mount_path(&path)?))
    });
    Ok(Volume { name: name.clone(), destroying, created_at, mounted_by: mounted_by.collect::<Result<_>>()? })
}
