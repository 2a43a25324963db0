use paas_domain::{Hostname, Secret};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    sealed::{Place, open_text, seal},
    store::{Result, Store, now},
};

/// An order that was begun and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateOrder {
    /// The name it is for.
    pub hostname: Hostname,
    /// The ACME directory it is at.
    pub directory: String,
    /// Where it is there; `None` when we do not know whether the authority has it.
    pub url: Option<String>,
    /// The key that the certificate will be for, PEM.
    pub key: Secret,
}

impl Store {
    /// Records that an order is about to be made, with the key its certificate will have.
    pub fn begin_order(&self, hostname: &Hostname, directory: &str, key: &Secret) -> Result<()> {
        let place = Place::OrderKey { hostname: hostname.as_str() };
        let sealed = seal(self.key(), place, key.expose().as_bytes())?;
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO certificate_orders (hostname, directory, url, sealed_key, created_at)
                 VALUES (?1, ?2, NULL, ?3, ?4)",
                params![hostname.as_str(), directory, sealed, now()],
            )?;
            Ok(())
        })
    }

    /// Records where the authority has the order.
    pub fn set_order_url(&self, hostname: &Hostname, url: &str) -> Result<()> {
        self.write(|db| {
            db.execute(
                "UPDATE certificate_orders SET url = ?2 WHERE hostname = ?1",
                params![hostname.as_str(), url],
            )?;
            Ok(())
        })
    }

    /// The order of that name, if one was begun.
    pub fn find_order(&self, hostname: &Hostname) -> Result<Option<CertificateOrder>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT directory, url, sealed_key FROM certificate_orders WHERE hostname = ?1",
            )?;
            let found: Option<(String, Option<String>, Vec<u8>)> = query
                .query_row([hostname.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((directory, url, sealed)) = found else { return Ok(None) };
            let place = Place::OrderKey { hostname: hostname.as_str() };
            let key = open_text(self.key(), place, &sealed)?;
            Ok(Some(CertificateOrder { hostname: hostname.clone(), directory, url, key }))
        })
    }

    /// The names that have an order under way.
    pub fn ordered_names(&self) -> Result<Vec<Hostname>> {
        let names: Vec<String> = self.read(|db| {
            let mut query = db.prepare_cached("SELECT hostname FROM certificate_orders ORDER BY hostname")?;
            Ok(query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        names.iter().map(|name| crate::domains::hostname(name)).collect()
    }

    /// Forgets the order of that name.
    pub fn drop_order(&self, hostname: &Hostname) -> Result<()> {
        self.write(|db| {
            db.execute("DELETE FROM certificate_orders WHERE hostname = ?1", [hostname.as_str()])?;
            Ok(())
        })
    }
}
