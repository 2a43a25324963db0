use paas_domain::{AppId, CommitId, Declared, DeployId, ReleaseId, ReleaseSpec, ReleaseVersion};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    apps::App,
    deploys,
    error::StoreError,
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

impl Store {
    /// Records the app's next version, sealed, as the release of that deploy.
    pub fn create_release(&self, new: NewRelease<'_>) -> Result<Release> {
        let NewRelease { deploy, spec, description, created_by } = new;
        self.write(|db| {
            let app = deploys::undecided(db, deploy)?.app;
            let version: u32 = db.query_row(
                "SELECT ifnull(max(version), 0) + 1 FROM releases WHERE app_id = ?1",
                [app.0],
                |row| row.get(0),
            )?;
            let plain = zeroize::Zeroizing::new(
                serde_json::to_vec(spec).map_err(|error| StoreError::Snapshot(ReleaseId(0), error))?,
            );
            let sealed = sealed::seal(self.key(), Place::Release { app: app.0, version }, &plain)?;
            db.execute(
                "INSERT INTO releases (app_id, version, image, commit_id, description, created_by, sealed_spec, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    app.0,
                    version,
                    spec.image,
                    spec.commit.as_ref().map(CommitId::as_str),
                    description,
                    created_by,
                    sealed,
                    now()
                ],
            )?;
            let id = db.last_insert_rowid();
            db.execute("UPDATE deploys SET release_id = ?2 WHERE id = ?1", params![deploy.0, id])?;
            self.release(db, ReleaseId(id))
        })
    }

    /// The release of that id.
    pub fn get_release(&self, release: ReleaseId) -> Result<Release> {
        self.read(|db| self.release(db, release))
    }

    /// What the app's repository says, as the release that serves has it; nothing before the first deploy.
    pub fn declared(&self, app: &App) -> Result<Declared> {
        match app.release {
            Some(release) => Ok(self.get_release(release)?.spec.declared),
            None => Ok(Declared::default()),
        }
    }

    /// Records that a release's image is gone.
    pub fn mark_image_removed(&self, release: ReleaseId) -> Result<()> {
        self.write(|db| {
            match db.execute("UPDATE releases SET image_removed = 1 WHERE id = ?1", [release.0])? {
                0 => Err(StoreError::NoRow { what: "release", id: release.0 }),
                _ => Ok(()),
            }
        })
    }

    pub(crate) fn release(&self, db: &Connection, release: ReleaseId) -> Result<Release> {
        let mut query = db.prepare_cached(
            "SELECT app_id, version, description, created_by, created_at, sealed_spec FROM releases WHERE id = ?1",
        )?;
        let found = query.query_row([release.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get::<_, Vec<u8>>(5)?))
        });
        let (app, version, description, created_by, created_at, sealed) =
            found.optional()?.ok_or(StoreError::NoRow { what: "release", id: release.0 })?;
        let plain = sealed::open(self.key(), Place::Release { app, version }, &sealed)?;
        let spec = serde_json::from_slice(&plain)
            .map_err(|error| StoreError::Snapshot(release, without_values(&error)))?;
        Ok(Release {
            id: release,
            app: AppId(app),
            version: ReleaseVersion(version),
            spec,
            description,
            created_by,
            created_at,
        })
    }
}

/// Where and how it went wrong, without what stood there: serde quotes values, and these are secret.
fn without_values(error: &serde_json::Error) -> serde_json::Error {
    serde::de::Error::custom(format!("{:?} error at column {}", error.classify(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_a_snapshot_never_quotes_it() {
        let error = serde_json::from_str::<u16>("\"hunter2\"").unwrap_err();
        assert!(error.to_string().contains("hunter2"), "serde does");
        let shown = StoreError::Snapshot(ReleaseId(7), without_values(&error));
        let source = std::error::Error::source(&shown).unwrap().to_string();
        assert_eq!(source, "Data error at column 9");
    }
}
