use std::collections::BTreeMap;

use paas_domain::{AppId, UserName};
use rusqlite::{Connection, params};

use crate::{
    apps,
    error::{StoreError, inconsistent},
    store::{Result, Store, now},
};

impl Store {
    /// Lets a visitor in who knows the password of that hash; an earlier one is replaced. Says whether the user is new.
    pub fn set_user(&self, app: AppId, user: &UserName, password_hash: &str) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let gone = db.execute(
                "DELETE FROM users WHERE app_id = ?1 AND name = ?2",
                params![app.0, user.as_str()],
            )?;
            db.execute(
                "INSERT INTO users (app_id, name, password_hash, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![app.0, user.as_str(), password_hash, now()],
            )?;
            Ok(gone == 0)
        })
    }

    /// Lets a visitor in no more.
    pub fn remove_user(&self, app: AppId, user: &UserName) -> Result<()> {
        let sql = "DELETE FROM users WHERE app_id = ?1 AND name = ?2";
        match self.write(|db| Ok(db.execute(sql, params![app.0, user.as_str()])?))? {
            0 => Err(StoreError::NoUser(user.clone())),
            _ => Ok(()),
        }
    }
}

pub(crate) fn of_app(db: &Connection, app: AppId) -> Result<BTreeMap<UserName, String>> {
    let mut query = db.prepare_cached("SELECT name, password_hash FROM users WHERE app_id = ?1")?;
    let rows = query.query_map([app.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (name, hash) = row?;
        Ok((UserName::new(name.as_str()).map_err(|error| inconsistent("users", &name, error))?, hash))
    })
    .collect()
}
