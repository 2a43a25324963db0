use paas_domain::Hostname;
use rusqlite::params;

use crate::store::{Result, Store};

/// Why a name has no certificate from an authority yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// For programs: a word with underscores.
    pub kind: String,
    /// For people: one sentence that says what to change.
    pub sentence: String,
}

/// The tries for a hostname since its last success. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tries {
    /// The name.
    pub hostname: Hostname,
    /// How often in a row the authority was asked in vain.
    pub failures: u32,
    /// How often in a row our own check before that failed.
    pub checks: u32,
    /// The last try.
    pub tried_at: i64,
    /// No try before.
    pub next_try: i64,
    /// The authority has asked not to be asked before; no command shortens it. 0 when it has not.
    pub held_until: i64,
    /// What the last one failed by; `None` while the first is under way.
    pub problem: Option<Problem>,
}

impl Store {
    /// What is remembered of tries, by name.
    pub fn certificate_tries(&self) -> Result<Vec<Tries>> {
        type Raw = (String, u32, u32, i64, i64, i64, Option<String>, Option<String>);
        let rows: Vec<Raw> = self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT hostname, failures, checks, tried_at, next_try, held_until, problem_kind, problem
                 FROM certificate_tries ORDER BY hostname",
            )?;
            let raw = query.query_map([], |row| {
                Ok((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                ))
            })?;
            Ok(raw.collect::<Result<_, _>>()?)
        })?;
        let checked = |(name, failures, checks, tried_at, next_try, held_until, kind, sentence): Raw| {
            let hostname = crate::domains::hostname(&name)?;
            let problem = kind.zip(sentence).map(|(kind, sentence)| Problem { kind, sentence });
            Ok(Tries { hostname, failures, checks, tried_at, next_try, held_until, problem })
        };
        rows.into_iter().map(checked).collect()
    }

    /// Remembers a try in place of what was known.
    pub fn put_tries(&self, tries: &Tries) -> Result<()> {
        let problem = tries.problem.as_ref();
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO certificate_tries
                 (hostname, failures, checks, tried_at, next_try, held_until, problem_kind, problem)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    tries.hostname.as_str(),
                    tries.failures,
                    tries.checks,
                    tries.tried_at,
                    tries.next_try,
                    tries.held_until,
                    problem.map(|problem| &problem.kind),
                    problem.map(|problem| &problem.sentence),
                ],
            )?;
            Ok(())
        })
    }

    /// The next try may be at that time, or when the authority allows it again; nothing happens when nothing was tried.
    pub fn try_again_at(&self, hostname: &Hostname, at: i64) -> Result<()> {
        self.write(|db| {
            db.execute(
                "UPDATE certificate_tries SET next_try = max(?2, held_until) WHERE hostname = ?1",
                params![hostname.as_str(), at],
            )?;
            Ok(())
        })
    }

    /// Forgets the tries of a name.
    pub fn forget_tries(&self, hostname: &Hostname) -> Result<()> {
        self.write(|db| {
            db.execute("DELETE FROM certificate_tries WHERE hostname = ?1", [hostname.as_str()])?;
            Ok(())
        })
    }
}
