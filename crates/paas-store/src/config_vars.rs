use std::collections::BTreeMap;

use paas_domain::{AppId, ConfigKey, Secret};
use rusqlite::{Connection, params};

use crate::{
    apps,
    error::{StoreError, inconsistent},
    sealed::{self, Place},
    secret_key::SecretKey,
    store::{Result, Store, now},
};

/// The longest value, in bytes.
const LARGEST_VALUE: usize = 64 << 10;
/// All values and names of one app together, in bytes: the kernel gives a process's environment and arguments only so much (execve(2)).
const LARGEST_CONFIG: usize = 1 << 20;

impl Store {
    /// The app's config vars.
    pub fn config(&self, app: AppId) -> Result<BTreeMap<ConfigKey, Secret>> {
        self.read(|db| config(db, self.key(), app))
    }

    /// Sets these, or removes them (`None`): all or nothing. Says whether anything changed.
    pub fn change_config(&self, app: AppId, changes: &[(ConfigKey, Option<Secret>)]) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let before = config(db, self.key(), app)?;
            let mut after = before.clone();
            for (key, value) in changes {
                match value {
                    Some(value) => {
                        check(key, value)?;
                        after.insert(key.clone(), value.clone());
                    }
                    None => {
                        after.remove(key);
                    }
                }
            }
            let bytes = after.iter().map(|(key, value)| key.as_str().len() + value.expose().len() + 2).sum();
            if bytes > LARGEST_CONFIG {
                return Err(StoreError::ConfigTooLarge { bytes, limit: LARGEST_CONFIG });
            }
            for key in before.keys().filter(|key| !after.contains_key(key)) {
                db.execute("DELETE FROM config_vars WHERE app_id = ?1 AND name = ?2", params![app.0, key.as_str()])?;
            }
            for (key, value) in after.iter().filter(|(key, value)| before.get(key) != Some(value)) {
                let place = Place::ConfigVar { app: app.0, name: key.as_str() };
                let sealed = sealed::seal(self.key(), place, value.expose().as_bytes())?;
                db.execute(
                    "INSERT INTO config_vars (app_id, name, sealed, updated_at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (app_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at",
                    params![app.0, key.as_str(), sealed, now()],
                )?;
            }
            Ok(before != after)
        })
    }
}

fn check(key: &ConfigKey, value: &Secret) -> Result<()> {
    let bytes = value.expose().len();
    if bytes > LARGEST_VALUE {
        return Err(StoreError::ValueTooLarge { key: key.clone(), bytes, limit: LARGEST_VALUE });
    }
    if value.expose().contains('\0') {
        return Err(StoreError::Nul(key.clone()));
    }
    Ok(())
}

fn config(db: &Connection, secret_key: &SecretKey, app: AppId) -> Result<BTreeMap<ConfigKey, Secret>> {
    let mut query = db.prepare_cached("SELECT name, sealed FROM config_vars WHERE app_id = ?1")?;
    let rows = query.query_map([app.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
    let mut vars = BTreeMap::new();
    for row in rows {
        let (name, sealed) = row?;
        let value = sealed::open(secret_key, Place::ConfigVar { app: app.0, name: &name }, &sealed)?;
        let value = std::str::from_utf8(&value).map_err(|error| inconsistent("config_vars", &name, error))?;
        let key = ConfigKey::new(name.as_str()).map_err(|error| inconsistent("config_vars", &name, error))?;
        vars.insert(key, Secret::new(value));
    }
    Ok(vars)
}
