use std::collections::BTreeSet;

use paas_domain::{AppId, CommitId, ReleaseId, ReleaseVersion};
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::{
    deploys::ENDED,
    error::inconsistent,
    store::{Result, Store},
};

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// It runs, or would run when started.
    Active,
    /// A share of the visitors get it.
    Candidate,
    /// It ran once.
    Previous,
    /// No deploy of it succeeded.
    Failed,
    /// A deploy of it is under way.
    Pending,
    /// It was a candidate and never more.
    Aborted,
}

/// A release in a list, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSummary {
    /// Its id.
    pub id: ReleaseId,
    /// `v1`, `v2`, …
    pub version: ReleaseVersion,
    /// Image id.
    pub image: String,
    /// The commit it was built from.
    pub commit: Option<CommitId>,
    /// For people.
    pub description: String,
    /// Who made it.
    pub created_by: String,
    /// Unix seconds.
    pub created_at: i64,
    /// What became of it.
    pub status: ReleaseStatus,
}

impl Store {
    /// All releases of the app, newest first.
    pub fn list_releases(&self, app: AppId) -> Result<Vec<ReleaseSummary>> {
        self.read(|db| summaries(db, app))
    }

    /// Releases whose image nobody will need again, with the image: all but the active one, those under way, the newest `keep` that ran, those
    /// with a container, and every image one of these shares. Releases whose removal was recorded are left out.
    pub fn prunable_images(&self, app: AppId, keep: usize) -> Result<Vec<(ReleaseId, String)>> {
        // Read in one go: what is pruned must not have become active in between.
        let (releases, in_use, removed) = self.read(|db| {
            // A deploy under way may also be one of a release that ran before.
            let in_use = ids(
                db,
                &format!(
                    "SELECT release_id FROM containers WHERE app_id = ?1
                     UNION
                     SELECT release_id FROM deploys
                     WHERE app_id = ?1 AND release_id IS NOT NULL AND state NOT IN {ENDED}"
                ),
                app,
            )?;
            let removed = ids(db, "SELECT id FROM releases WHERE app_id = ?1 AND image_removed = 1", app)?;
            Ok((summaries(db, app)?, in_use, removed))
        })?;
        let ran = releases
            .iter()
            .filter(|release| matches!(release.status, ReleaseStatus::Active | ReleaseStatus::Previous));
        let newest: BTreeSet<i64> = ran.take(keep).map(|release| release.id.0).collect();
        let (kept, old): (Vec<_>, Vec<_>) = releases.into_iter().partition(|release| {
            release.status == ReleaseStatus::Active
                || newest.contains(&release.id.0)
                || in_use.contains(&release.id.0)
        });
        let shared: BTreeSet<String> = kept.into_iter().map(|release| release.image).collect();
        let old = old
            .into_iter()
            .filter(|release| !removed.contains(&release.id.0) && !shared.contains(&release.image));
        Ok(old.map(|release| (release.id, release.image)).collect())
    }
}

fn ids(db: &Connection, sql: &str, app: AppId) -> Result<BTreeSet<i64>> {
    let mut query = db.prepare_cached(sql)?;
    Ok(query.query_map([app.0], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn summaries(db: &Connection, app: AppId) -> Result<Vec<ReleaseSummary>> {
    let mut query = db.prepare_cached("SELECT release_id FROM apps WHERE id = ?1")?;
    let active: Option<i64> = query.query_row([app.0], |row| row.get(0)).optional()?.flatten();
    let mut query = db.prepare_cached(&format!(
        "SELECT id, version, image, commit_id, description, created_by, created_at,
                EXISTS (SELECT 1 FROM deploys WHERE release_id = releases.id AND state = 'candidate'),
                EXISTS (SELECT 1 FROM deploys WHERE release_id = releases.id AND state IN ('done', 'switching', 'draining')),
                EXISTS (SELECT 1 FROM deploys WHERE release_id = releases.id AND state NOT IN {ENDED}),
                EXISTS (SELECT 1 FROM deploys WHERE release_id = releases.id AND state = 'aborted')
         FROM releases WHERE app_id = ?1 ORDER BY version DESC"
    ))?;
    query.query_map([app.0], |row| Ok(summary(row, active)))?.map(|row| row?).collect()
}

fn summary(row: &Row<'_>, active: Option<i64>) -> Result<ReleaseSummary> {
    let id: i64 = row.get(0)?;
    let commit: Option<String> = row.get(3)?;
    Ok(ReleaseSummary {
        id: ReleaseId(id),
        version: ReleaseVersion(row.get(1)?),
        image: row.get(2)?,
        commit: commit.map(CommitId::new).transpose().map_err(|error| inconsistent("releases", id, error))?,
        description: row.get(4)?,
        created_by: row.get(5)?,
        created_at: row.get(6)?,
        status: if active == Some(id) {
            ReleaseStatus::Active
        } else if row.get(7)? {
            ReleaseStatus::Candidate
        } else if row.get(8)? {
            ReleaseStatus::Previous
        } else if row.get(9)? {
            ReleaseStatus::Pending
        } else if row.get(10)? {
            ReleaseStatus::Aborted
        } else {
            ReleaseStatus::Failed
        },
    })
}
