use paas_domain::Secret;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    certificates::Pair,
    sealed::{Place, open_text, seal},
    store::{Result, Store, now},
};

impl Store {
    /// The credentials of our account at an ACME directory.
    pub fn acme_account(&self, directory: &str) -> Result<Option<Secret>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT sealed_credentials FROM acme_accounts WHERE directory = ?1")?;
            let sealed: Option<Vec<u8>> = query.query_row([directory], |row| row.get(0)).optional()?;
            sealed.map(|sealed| open_text(self.key(), Place::AcmeAccount { directory }, &sealed)).transpose()
        })
    }

    /// Keeps the credentials of our account at an ACME directory.
    pub fn save_acme_account(&self, directory: &str, credentials: &Secret) -> Result<()> {
        let sealed = seal(self.key(), Place::AcmeAccount { directory }, credentials.expose().as_bytes())?;
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO acme_accounts (directory, sealed_credentials, created_at) VALUES (?1, ?2, ?3)",
                params![directory, sealed, now()],
            )?;
            Ok(())
        })
    }

    /// Forgets an account that its authority does not know any more, unless there is another by now.
    pub fn forget_acme_account(&self, directory: &str, credentials: &Secret) -> Result<()> {
        if self.acme_account(directory)?.as_ref() != Some(credentials) {
            return Ok(());
        }
        self.write(|db| {
            db.execute("DELETE FROM acme_accounts WHERE directory = ?1", [directory])?;
            Ok(())
        })
    }

    /// The server's own authority: its certificate and key.
    pub fn own_authority(&self) -> Result<Option<Pair>> {
        self.read(|db| {
            let found: Option<(String, Vec<u8>)> = db
                .query_row("SELECT certificate, sealed_key FROM own_authority WHERE id = 1", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?;
            let pair = |(chain, sealed): (String, Vec<u8>)| {
                Ok(Pair { chain, key: open_text(self.key(), Place::AuthorityKey, &sealed)? })
            };
            found.map(pair).transpose()
        })
    }

    /// Keeps the server's own authority in place of `instead_of`, which was read before; whoever comes second keeps nothing.
    pub fn save_own_authority(&self, pair: &Pair, instead_of: Option<&Pair>) -> Result<()> {
        let sealed = seal(self.key(), Place::AuthorityKey, pair.key.expose().as_bytes())?;
        self.write(|db| {
            if let Some(old) = instead_of {
                db.execute("DELETE FROM own_authority WHERE certificate = ?1", [&old.chain])?;
            }
            db.execute(
                "INSERT OR IGNORE INTO own_authority (id, certificate, sealed_key, created_at) VALUES (1, ?1, ?2, ?3)",
                params![pair.chain, sealed, now()],
            )?;
            Ok(())
        })
    }
}
