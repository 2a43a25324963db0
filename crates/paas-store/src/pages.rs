use std::collections::BTreeMap;

use paas_domain::{AppId, Page, check_pages};
use rusqlite::{Connection, params};

use crate::{
    apps,
    error::{StoreError, inconsistent},
    store::{Result, Store},
};

impl Store {
    /// Puts a page in place of ours. False when it is the same already. Refused when it is not one, or all pages together are too large.
    pub fn set_page(&self, app: AppId, page: Page, html: &str) -> Result<bool> {
        self.write(|db| {
            apps::require(db, app)?;
            let mut pages = of_app(db, app)?;
            let before = pages.insert(page, html.to_owned());
            check_pages(&pages)?;
            db.execute(
                "INSERT INTO pages (app_id, page, html) VALUES (?1, ?2, ?3)
                 ON CONFLICT (app_id, page) DO UPDATE SET html = excluded.html",
                params![app.0, page.to_string(), html],
            )?;
            Ok(before.as_deref() != Some(html))
        })
    }

    /// Takes it back.
    pub fn unset_page(&self, app: AppId, page: Page) -> Result<()> {
        let sql = "DELETE FROM pages WHERE app_id = ?1 AND page = ?2";
        match self.write(|db| Ok(db.execute(sql, params![app.0, page.to_string()])?))? {
            0 => Err(StoreError::NoPage(page)),
            _ => Ok(()),
        }
    }
}

pub(crate) fn of_app(db: &Connection, app: AppId) -> Result<BTreeMap<Page, String>> {
    let mut query = db.prepare_cached("SELECT page, html FROM pages WHERE app_id = ?1")?;
    let rows = query.query_map([app.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (page, html) = row?;
        Ok((Page::new(&page).map_err(|error| inconsistent("pages", &page, error))?, html))
    })
    .collect()
}
