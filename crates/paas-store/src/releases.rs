use paas_domain::{AppId, CommitId, DeployId, ReleaseId, ReleaseSpec, ReleaseVersion};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    deploys,
    error::{StoreError, inconsistent},
    sealed::{self, Place},
    store::{Result, Store, now},
};

/// A release, with its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// Its app.
    pub app: AppId,
    /// `v1`, `v2`, …
    pub version: ReleaseVersion,
    /// Everything that decides how the app runs.
    pub spec: ReleaseSpec,
    /// For people: a commit's subject, or what was changed.
    pub description: String,
    /// Who made it.
    pub created_by: String,
    /// Unix seconds.
    pub created_at: i64,
}

/// A release to record.
#[derive(Debug, Clone)]
pub struct NewRelease<'a> {
    /// The deploy that makes it.
    pub deploy: DeployId,
    /// Everything that decides how the app runs.
    pub spec: &'a ReleaseSpec,
    /// For people.
    pub description: String,
    /// Who makes it.
    pub created_by: String,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseStatus {
    /// It runs, or would run when started.
    Active,
    /// It ran once.
    Previous,
    /// No deploy of it succeeded.
    Failed,
    /// A deploy of it is under way.
    Pending,
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
    /// Records the app's next version, sealed, as the release of that deploy.
    pub fn create_release(&self, new: NewRelease<'_>) -> Result<Release> {
        self.write(|db| {
            let app = deploys::get(db, new.deploy)?.app;
            let version: u32 = db.query_row(
                "SELECT ifnull(max(version), 0) + 1 FROM releases WHERE app_id = ?1",
                [app.0],
                |row| row.get(0),
            )?;
            let plain = zeroize::Zeroizing::new(
                serde_json::to_vec(new.spec).map_err(|error| StoreError::Snapshot(ReleaseId(0), error))?,
            );
            let sealed = sealed::seal(self.key(), Place::Release { app: app.0, version }, &plain)?;
            db.execute(
                "INSERT INTO releases (app_id, version, image, commit_id, description, created_by, sealed_spec, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    app.0,
                    version,
                    new.spec.image,
                    new.spec.commit.as_ref().map(CommitId::as_str),
                    new.description,
                    new.created_by,
                    sealed,
                    now()
                ],
            )?;
            let id = db.last_insert_rowid();
            db.execute("UPDATE deploys SET release_id = ?2 WHERE id = ?1", params![new.deploy.0, id])?;
            self.release(db, ReleaseId(id))
        })
    }

    /// The release of that id.
    pub fn get_release(&self, release: ReleaseId) -> Result<Release> {
        self.read(|db| self.release(db, release))
    }

    /// All releases of the app, newest first.
    pub fn list_releases(&self, app: AppId) -> Result<Vec<ReleaseSummary>> {
        self.read(|db| {
            let active: Option<i64> =
                db.query_row("SELECT release_id FROM apps WHERE id = ?1", [app.0], |row| row.get(0)).optional()?.flatten();
            let mut query = db.prepare_cached(
                "SELECT id, version, image, commit_id, description, created_by, created_at,
                        EXISTS (SELECT 1 FROM deploys WHERE release_id = releases.id AND state IN ('done', 'switching', 'draining')),
                        EXISTS (SELECT 1 FROM deploys WHERE release_id = releases.id
                                AND state NOT IN ('done', 'failed', 'cancelled', 'superseded', 'interrupted'))
                 FROM releases WHERE app_id = ?1 ORDER BY version DESC",
            )?;
            let mut rows = query.query([app.0])?;
            let mut releases = Vec::new();
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                let commit: Option<String> = row.get(3)?;
                let status = match (active == Some(id), row.get(7)?, row.get(8)?) {
                    (true, _, _) => ReleaseStatus::Active,
                    (false, true, _) => ReleaseStatus::Previous,
                    (false, false, true) => ReleaseStatus::Pending,
                    (false, false, false) => ReleaseStatus::Failed,
                };
                releases.push(ReleaseSummary {
                    id: ReleaseId(id),
                    version: ReleaseVersion(row.get(1)?),
                    image: row.get(2)?,
                    commit: commit.map(CommitId::new).transpose().map_err(|error| inconsistent("releases", id, error))?,
                    description: row.get(4)?,
                    created_by: row.get(5)?,
                    created_at: row.get(6)?,
                    status,
                });
            }
            Ok(releases)
        })
    }

    /// Releases whose image nobody will need again, with the image: all but the active one, those under way, the newest `keep` that ran, and every
    /// image one of these shares. Releases whose removal was recorded are left out.
    pub fn prunable_images(&self, app: AppId, keep: usize) -> Result<Vec<(ReleaseId, String)>> {
        let releases = self.list_releases(app)?;
        let ran = releases.iter().filter(|release| matches!(release.status, ReleaseStatus::Active | ReleaseStatus::Previous));
        let newest: Vec<ReleaseId> = ran.take(keep).map(|release| release.id).collect();
        let in_use: Vec<i64> = self.read(|db| {
            let mut query = db.prepare_cached("SELECT DISTINCT release_id FROM containers WHERE app_id = ?1")?;
            Ok(query.query_map([app.0], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        let removed: Vec<i64> = self.read(|db| {
            let mut query = db.prepare_cached("SELECT id FROM releases WHERE app_id = ?1 AND image_removed = 1")?;
            Ok(query.query_map([app.0], |row| row.get(0))?.collect::<Result<_, _>>()?)
        })?;
        let (kept, old): (Vec<_>, Vec<_>) = releases.into_iter().partition(|release| {
            matches!(release.status, ReleaseStatus::Active | ReleaseStatus::Pending)
                || newest.contains(&release.id)
                || in_use.contains(&release.id.0)
        });
        let old = old.into_iter().filter(|release| !removed.contains(&release.id.0));
        Ok(old
            .filter(|release| !kept.iter().any(|kept| kept.image == release.image))
            .map(|release| (release.id, release.image))
            .collect())
    }

    /// Records that a release's image is gone.
    pub fn mark_image_removed(&self, release: ReleaseId) -> Result<()> {
        self.write(|db| {
            db.execute("UPDATE releases SET image_removed = 1 WHERE id = ?1", [release.0])?;
            Ok(())
        })
    }

    fn release(&self, db: &Connection, release: ReleaseId) -> Result<Release> {
        let mut query = db.prepare_cached(
            "SELECT app_id, version, description, created_by, created_at, sealed_spec FROM releases WHERE id = ?1",
        )?;
        let found = query.query_row([release.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get::<_, Vec<u8>>(5)?))
        });
        let (app, version, description, created_by, created_at, sealed) =
            found.optional()?.ok_or(StoreError::NoRow { what: "release", id: release.0 })?;
        let plain = sealed::open(self.key(), Place::Release { app, version }, &sealed)?;
        let spec = serde_json::from_slice(&plain).map_err(|error| StoreError::Snapshot(release, error))?;
        Ok(Release { id: release, app: AppId(app), version: ReleaseVersion(version), spec, description, created_by, created_at })
    }
}
