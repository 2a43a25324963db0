use paas_domain::{AppId, Hostname, Secret};
use rusqlite::{OptionalExtension as _, Row, params};

use crate::{
    error::inconsistent,
    sealed::{Place, open_text, seal},
    store::{Result, Store},
};

/// Where a certificate of ours came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CertificateSource {
    /// An ACME authority signed it.
    Acme,
    /// The server's own authority signed it.
    Own,
}

impl CertificateSource {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Own => "own",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Acme, Self::Own].into_iter().find(|source| source.as_str() == word)
    }
}

/// A certificate chain and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The chain, the leaf first.
    pub chain: String,
    /// The leaf's private key.
    pub key: Secret,
}

/// What the leaf of a chain says. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    /// SHA-256 of the leaf, lower hex.
    pub fingerprint: String,
    /// Who signed it, for people.
    pub issuer: String,
    /// Good from here on.
    pub not_before: i64,
    /// And until here.
    pub not_after: i64,
}

/// When an authority wants a certificate renewed (RFC 9773). Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalAdvice {
    /// Renew then; `None` when the authority gives no advice.
    pub renew_at: Option<i64>,
    /// Ask again then.
    pub ask_at: i64,
}

/// A certificate for a hostname, without chain and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The name it is for.
    pub hostname: Hostname,
    /// Where it came from.
    pub source: CertificateSource,
    /// The ACME directory it came from.
    pub directory: Option<String>,
    /// What it says.
    pub validity: Validity,
    /// When we got it, by our own clock; Unix seconds.
    pub obtained_at: i64,
    /// Whether visitors' browsers trust who signed it, as far as we know.
    pub trusted: bool,
    /// The authority's advice, once it was asked.
    pub advice: Option<RenewalAdvice>,
}

/// One row, checked outside the query.
struct Raw {
    hostname: String,
    source: String,
    directory: Option<String>,
    validity: Validity,
    obtained_at: i64,
    trusted: bool,
    renew_at: Option<i64>,
    ask_at: Option<i64>,
}

const COLUMNS: &str = "hostname, source, directory, fingerprint, issuer, not_before, not_after, obtained_at, trusted, renew_at, ask_at";

impl Store {
    /// Every certificate from an authority, by name; also those of names that lead nowhere now.
    pub fn certificates(&self) -> Result<Vec<Certificate>> {
        let rows: Vec<Raw> = self.read(|db| {
            let mut query =
                db.prepare_cached(&format!("SELECT {COLUMNS} FROM certificates ORDER BY hostname, source"))?;
            Ok(query.query_map([], raw)?.collect::<Result<_, _>>()?)
        })?;
        rows.into_iter().map(Raw::checked).collect()
    }

    /// Chain and key of one.
    pub fn certificate_pair(&self, hostname: &Hostname, source: CertificateSource) -> Result<Option<Pair>> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT chain, sealed_key FROM certificates WHERE hostname = ?1 AND source = ?2",
            )?;
            let found: Option<(String, Vec<u8>)> = query
                .query_row(params![hostname.as_str(), source.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let place = Place::CertificateKey { source, hostname: hostname.as_str() };
            found
                .map(|(chain, sealed)| Ok(Pair { chain, key: open_text(self.key(), place, &sealed)? }))
                .transpose()
        })
    }

    /// Whether visitors of that name of the app can come by HTTPS now (Unix seconds) without a warning: it has a certificate that has not
    /// ended and that browsers trust, as far as we know.
    pub fn has_trusted_certificate(&self, app: AppId, hostname: &Hostname, now: i64) -> Result<bool> {
        self.read(|db| {
            let mut ours = db.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM certificates WHERE hostname = ?1 AND trusted = 1 AND ?2 < not_after)",
            )?;
            if ours.query_row(params![hostname.as_str(), now], |row| row.get(0))? {
                return Ok(true);
            }
            let mut added = db.prepare_cached(
                "SELECT names FROM added_certificates WHERE app_id = ?1 AND ?2 < not_after",
            )?;
            let names: Vec<String> =
                added.query_map(params![app.0, now], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names.iter().any(|names| hostname.is_covered_by(names.lines())))
        })
    }

    /// Keeps a certificate in place of the one before it. One from an ACME authority ends the order it came from, and what went wrong
    /// before it is forgotten.
    pub fn put_certificate(&self, certificate: &Certificate, pair: &Pair) -> Result<()> {
        let Certificate { hostname, source, directory, validity, obtained_at, trusted, advice } = certificate;
        let place = Place::CertificateKey { source: *source, hostname: hostname.as_str() };
        let sealed = seal(self.key(), place, pair.key.expose().as_bytes())?;
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO certificates
                 (hostname, source, directory, chain, sealed_key, fingerprint, issuer, not_before, not_after, obtained_at, trusted, renew_at, ask_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![
                    hostname.as_str(),
                    source.as_str(),
                    directory,
                    pair.chain,
                    sealed,
                    validity.fingerprint,
                    validity.issuer,
                    validity.not_before,
                    validity.not_after,
                    obtained_at,
                    trusted,
                    advice.and_then(|advice| advice.renew_at),
                    advice.map(|advice| advice.ask_at),
                ],
            )?;
            if *source == CertificateSource::Acme {
                for table in ["certificate_orders", "certificate_tries"] {
                    db.execute(&format!("DELETE FROM {table} WHERE hostname = ?1"), [hostname.as_str()])?;
                }
            }
            Ok(())
        })
    }

    /// Records when the authority wants the name's certificate renewed. Nothing happens when there is none any more.
    pub fn set_renewal_advice(&self, hostname: &Hostname, advice: RenewalAdvice) -> Result<()> {
        self.write(|db| {
            db.execute(
                "UPDATE certificates SET renew_at = ?2, ask_at = ?3 WHERE hostname = ?1 AND source = 'acme'",
                params![hostname.as_str(), advice.renew_at, advice.ask_at],
            )?;
            Ok(())
        })
    }

    /// Removes one.
    pub fn delete_certificate(&self, hostname: &Hostname, source: CertificateSource) -> Result<()> {
        self.write(|db| {
            db.execute(
                "DELETE FROM certificates WHERE hostname = ?1 AND source = ?2",
                params![hostname.as_str(), source.as_str()],
            )?;
            Ok(())
        })
    }
}

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw {
        hostname: row.get(0)?,
        source: row.get(1)?,
        directory: row.get(2)?,
        validity: Validity {
            fingerprint: row.get(3)?,
            issuer: row.get(4)?,
            not_before: row.get(5)?,
            not_after: row.get(6)?,
        },
        obtained_at: row.get(7)?,
        trusted: row.get(8)?,
        renew_at: row.get(9)?,
        ask_at: row.get(10)?,
    })
}

impl Raw {
    fn checked(self) -> Result<Certificate> {
        let Self { hostname, source, directory, validity, obtained_at, trusted, renew_at, ask_at } = self;
        let source = CertificateSource::parse(&source)
            .ok_or_else(|| inconsistent("certificates", &hostname, "unknown source"))?;
        Ok(Certificate {
            hostname: crate::domains::hostname(&hostname)?,
            source,
            directory,
            validity,
            obtained_at,
            trusted,
            advice: ask_at.map(|ask_at| RenewalAdvice { renew_at, ask_at }),
        })
    }
}
