use paas_domain::{AppName, KeyId, KeyName};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::{StoreError, inconsistent},
    public_key::PublicKey,
    store::{Result, Store, now},
};

/// What a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    Admin,
    /// Only with these apps.
    Apps(Vec<AppName>),
}

/// An ssh key that is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// In the forced command.
    pub id: KeyId,
    /// Whose it is.
    pub name: KeyName,
    /// The key.
    pub public_key: PublicKey,
    /// As `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// What it may do.
    pub access: Access,
    /// Unix seconds.
    pub created_at: i64,
}

type Raw = (i64, String, String, bool, i64);

impl Store {
    /// Lets a key in.
    pub fn add_key(&self, name: &KeyName, public_key: &PublicKey, access: &Access) -> Result<Key> {
        self.write(|db| {
            let taken: Option<String> = db
                .query_row("SELECT name FROM keys WHERE public_key = ?1", [public_key.as_str()], |row| row.get(0))
                .optional()?;
            if let Some(owner) = taken {
                return Err(StoreError::KeyTaken(key_name(&owner)?));
            }
            let same_name: Option<i64> =
                db.query_row("SELECT id FROM keys WHERE name = ?1", [name.as_str()], |row| row.get(0)).optional()?;
            if same_name.is_some() {
                return Err(StoreError::KeyNameTaken(name.clone()));
            }
            db.execute(
                "INSERT INTO keys (name, public_key, fingerprint, admin, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name.as_str(), public_key.as_str(), public_key.fingerprint(), *access == Access::Admin, now()],
            )?;
            let id = db.last_insert_rowid();
            if let Access::Apps(apps) = access {
                for app in apps {
                    let rows = db.execute(
                        "INSERT OR IGNORE INTO key_apps (key_id, app_id) SELECT ?1, id FROM apps WHERE name = ?2",
                        params![id, app.as_str()],
                    )?;
                    let known: bool = db.query_row("SELECT EXISTS (SELECT 1 FROM apps WHERE name = ?1)", [app.as_str()], |row| row.get(0))?;
                    if rows == 0 && !known {
                        return Err(StoreError::NoApp(app.clone()));
                    }
                }
            }
            find(db, KeyId(id))?.ok_or(StoreError::NoRow { what: "key", id })
        })
    }

    /// All keys, by name.
    pub fn list_keys(&self) -> Result<Vec<Key>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT id, name, public_key, admin, created_at FROM keys ORDER BY name")?;
            let rows: Vec<Raw> = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
                .collect::<Result<_, _>>()?;
            rows.into_iter().map(|raw| key(db, raw)).collect()
        })
    }

    /// The key of that id, if it is still let in.
    pub fn find_key(&self, id: KeyId) -> Result<Option<Key>> {
        self.read(|db| find(db, id))
    }

    /// Shuts a key out.
    pub fn remove_key(&self, name: &KeyName) -> Result<()> {
        match self.write(|db| Ok(db.execute("DELETE FROM keys WHERE name = ?1", [name.as_str()])?))? {
            0 => Err(StoreError::NoKey(name.clone())),
            _ => Ok(()),
        }
    }
}

fn find(db: &Connection, id: KeyId) -> Result<Option<Key>> {
    let mut query =
        db.prepare_cached("SELECT id, name, public_key, admin, created_at FROM keys WHERE id = ?1")?;
    let raw = query
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    raw.map(|raw| key(db, raw)).transpose()
}

fn key(db: &Connection, raw: Raw) -> Result<Key> {
    let (id, name, text, admin, created_at) = raw;
    let public_key = PublicKey::parse(&text).map_err(|error| inconsistent("keys", id, error))?;
    let access = if admin {
        Access::Admin
    } else {
        let mut query = db.prepare_cached(
            "SELECT apps.name FROM key_apps JOIN apps ON apps.id = key_apps.app_id WHERE key_id = ?1 ORDER BY 1",
        )?;
        let names: Vec<String> = query.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let names =
            names.into_iter().map(|name| AppName::new(name).map_err(|error| inconsistent("apps", id, error)));
        Access::Apps(names.collect::<Result<_>>()?)
    };
    Ok(Key {
        id: KeyId(id),
        name: key_name(&name)?,
        fingerprint: public_key.fingerprint(),
        public_key,
        access,
        created_at,
    })
}

fn key_name(text: &str) -> Result<KeyName> {
    KeyName::new(text).map_err(|error| inconsistent("keys", text, error))
}
