use std::collections::BTreeSet;

use paas_domain::{AppId, IpRange};
use rusqlite::{Connection, params};

use crate::{
    apps,
    error::{StoreError, inconsistent},
    store::{Result, Store},
};

/// What a list of ranges is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IpList {
    /// Where visitors may come from.
    Allow,
    /// Which proxies before us are believed.
    TrustedProxies,
}

impl IpList {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::TrustedProxies => "trusted_proxies",
        }
    }
}

impl Store {
    /// Puts a range into a list. False when it was in it already.
    pub fn add_ip_range(&self, app: AppId, list: IpList, range: &IpRange) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let others: u32 = db.query_row(
                "SELECT count(*) FROM ip_ranges WHERE app_id = ?1 AND list = ?2 AND range <> ?3",
                params![app.0, list.as_str(), range.to_string()],
                |row| row.get(0),
            )?;
            if others >= IpRange::MOST {
                return Err(StoreError::TooManyRanges);
            }
            let rows = db.execute(
                "INSERT INTO ip_ranges (app_id, list, range) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![app.0, list.as_str(), range.to_string()],
            )?;
            Ok(rows > 0)
        })
    }

    /// Takes it out again.
    pub fn remove_ip_range(&self, app: AppId, list: IpList, range: &IpRange) -> Result<()> {
        let sql = "DELETE FROM ip_ranges WHERE app_id = ?1 AND list = ?2 AND range = ?3";
        match self.write(|db| Ok(db.execute(sql, params![app.0, list.as_str(), range.to_string()])?))? {
            0 => Err(StoreError::NoRange(*range)),
            _ => Ok(()),
        }
    }
}

pub(crate) fn of_app(db: &Connection, app: AppId, list: IpList) -> Result<BTreeSet<IpRange>> {
    let mut query = db.prepare_cached("SELECT range FROM ip_ranges WHERE app_id = ?1 AND list = ?2")?;
    let rows = query.query_map(params![app.0, list.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| {
        let text = row?;
        IpRange::new(&text).map_err(|error| inconsistent("ip_ranges", &text, error))
    })
    .collect()
}
