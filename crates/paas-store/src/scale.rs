use std::collections::BTreeMap;

use paas_domain::{AppId, ProcessType};
use rusqlite::params;

use crate::{
    apps,
    error::{StoreError, inconsistent},
    store::{Result, Store},
};

/// The most containers of one process type; the table checks the same.
const LARGEST: u16 = 100;

impl Store {
    /// How many containers of each process type were commanded.
    pub fn scale(&self, app: AppId) -> Result<BTreeMap<ProcessType, u16>> {
        let rows: Vec<(String, u16)> = self.read(|db| {
            let mut query = db.prepare_cached("SELECT process_type, count FROM scale WHERE app_id = ?1")?;
            Ok(query.query_map([app.0], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
        })?;
        rows.into_iter()
            .map(|(name, count)| {
                let name =
                    ProcessType::new(name.as_str()).map_err(|error| inconsistent("scale", &name, error))?;
                Ok((name, count))
            })
            .collect()
    }

    /// Commands these counts, 0 to 100 each; other process types keep theirs.
    pub fn set_scale(&self, app: AppId, counts: &BTreeMap<ProcessType, u16>) -> Result<()> {
        self.write(|db| {
            apps::require(db, app)?;
            for (name, &count) in counts {
                if count > LARGEST {
                    return Err(StoreError::ScaleTooLarge {
                        process_type: name.clone(),
                        count,
                        limit: LARGEST,
                    });
                }
                db.execute(
                    "INSERT INTO scale (app_id, process_type, count) VALUES (?1, ?2, ?3)
                     ON CONFLICT (app_id, process_type) DO UPDATE SET count = excluded.count",
                    params![app.0, name.as_str(), count],
                )?;
            }
            Ok(())
        })
    }
}
