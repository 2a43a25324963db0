use paas_domain::{AppId, Secret};
use rusqlite::{OptionalExtension as _, params};

use crate::{
    apps,
    certificates::{Pair, Validity},
    error::StoreError,
    sealed::{Place, open_text, seal},
    store::{Result, Store, now},
};

/// A certificate that an app's people brought, without chain and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedCertificate {
    /// Its id.
    pub id: i64,
    /// Whose it is.
    pub app: AppId,
    /// The names in it, also wildcards.
    pub names: Vec<String>,
    /// What it says.
    pub validity: Validity,
}

impl Store {
    /// Keeps a certificate for an app, in place of an earlier one of the app with the same names.
    pub fn add_certificate(
        &self,
        app: AppId,
        names: &[String],
        validity: &Validity,
        pair: &Pair,
    ) -> Result<()> {
        let place = Place::AddedKey { app: app.0, fingerprint: &validity.fingerprint };
        let sealed = seal(self.key(), place, pair.key.expose().as_bytes())?;
        let mut names = names.to_vec();
        names.sort_unstable();
        self.write(|db| {
            apps::require_staying(db, app)?;
            db.execute(
                "INSERT OR REPLACE INTO added_certificates
                 (app_id, names, chain, sealed_key, fingerprint, issuer, not_before, not_after, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    app.0,
                    names.join("\n"),
                    pair.chain,
                    sealed,
                    validity.fingerprint,
                    validity.issuer,
                    validity.not_before,
                    validity.not_after,
                    now(),
                ],
            )?;
            Ok(())
        })
    }

    /// Every added certificate.
    pub fn added_certificates(&self) -> Result<Vec<AddedCertificate>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT id, app_id, names, fingerprint, issuer, not_before, not_after FROM added_certificates ORDER BY id",
            )?;
            let rows = query.query_map([], |row| {
                Ok(AddedCertificate {
                    id: row.get(0)?,
                    app: AppId(row.get(1)?),
                    names: row.get::<_, String>(2)?.lines().map(str::to_owned).collect(),
                    validity: Validity {
                        fingerprint: row.get(3)?,
                        issuer: row.get(4)?,
                        not_before: row.get(5)?,
                        not_after: row.get(6)?,
                    },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Chain and key of one.
    pub fn added_pair(&self, id: i64) -> Result<Option<Pair>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT app_id, fingerprint, chain, sealed_key FROM added_certificates WHERE id = ?1",
            )?;
            let found: Option<(i64, String, String, Vec<u8>)> = query
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
                .optional()?;
            let Some((app, fingerprint, chain, sealed)) = found else { return Ok(None) };
            let key: Secret =
                open_text(self.key(), Place::AddedKey { app, fingerprint: &fingerprint }, &sealed)?;
            Ok(Some(Pair { chain, key }))
        })
    }

    /// Takes one away from its app.
    pub fn remove_added_certificate(&self, app: AppId, id: i64) -> Result<()> {
        let sql = "DELETE FROM added_certificates WHERE id = ?1 AND app_id = ?2";
        match self.write(|db| Ok(db.execute(sql, params![id, app.0])?))? {
            0 => Err(StoreError::NoRow { what: "added certificate", id }),
            _ => Ok(()),
        }
    }
}
