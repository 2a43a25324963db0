use paas_domain::{AppId, CommitId, DeployId, DeployKind, DeployState, Outcome, ReleaseId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{
    error::{StoreError, inconsistent},
    store::{Result, Store, now},
};

/// A deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// Its id.
    pub id: DeployId,
    /// Its app.
    pub app: AppId,
    /// Why it was made.
    pub kind: DeployKind,
    /// Where it stands: the state whose effect may have begun.
    pub state: DeployState,
    /// The release it makes active, once there is one.
    pub release: Option<ReleaseId>,
    /// What a push wants to deploy.
    pub commit: Option<CommitId>,
    /// Who asked.
    pub requested_by: String,
    /// Why it did not succeed.
    pub error: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
}

/// A deploy to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeploy {
    /// Its app.
    pub app: AppId,
    /// Why.
    pub kind: DeployKind,
    /// What a push wants to deploy.
    pub commit: Option<CommitId>,
    /// Who asks.
    pub requested_by: String,
}

const COLUMNS: &str =
    "id, app_id, kind, state, release_id, commit_id, requested_by, error, created_at, updated_at";
const RUNNING: &str = "state NOT IN ('done', 'failed', 'cancelled', 'superseded', 'interrupted')";

impl Store {
    /// Records a deploy, queued.
    pub fn create_deploy(&self, new: NewDeploy) -> Result<Deploy> {
        self.write(|db| {
            let at = now();
            db.execute(
                "INSERT INTO deploys (app_id, kind, state, commit_id, requested_by, created_at, updated_at) VALUES (?1, ?2, 'queued', ?3, ?4, ?5, ?5)",
                params![new.app.0, new.kind.as_str(), new.commit.as_ref().map(CommitId::as_str), new.requested_by, at],
            )?;
            get(db, DeployId(db.last_insert_rowid()))
        })
    }

    /// The deploy of that id.
    pub fn get_deploy(&self, deploy: DeployId) -> Result<Deploy> {
        self.read(|db| get(db, deploy))
    }

    /// The deploy of that id, if there is one.
    pub fn find_deploy(&self, deploy: DeployId) -> Result<Option<Deploy>> {
        self.read(|db| find(db, deploy))
    }

    /// The app's newest deploys, newest first.
    pub fn list_deploys(&self, app: AppId, limit: usize) -> Result<Vec<Deploy>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|db| {
            let mut query =
                db.prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE app_id = ?1 ORDER BY id DESC LIMIT ?2"))?;
            query.query_map(params![app.0, limit], |row| Ok(deploy(row)))?.map(|row| row?).collect()
        })
    }

    /// Every deploy that has not ended, oldest first.
    pub fn running_deploys(&self) -> Result<Vec<Deploy>> {
        self.read(|db| {
            let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE {RUNNING} ORDER BY id"))?;
            query.query_map([], |row| Ok(deploy(row)))?.map(|row| row?).collect()
        })
    }

    /// Records the state whose effect is about to begin.
    pub fn advance_deploy(&self, deploy: DeployId, state: DeployState) -> Result<()> {
        self.write(|db| advance(db, deploy, state))
    }

    /// The point of no return, in one transaction: this deploy's release is the active one and the app is to run.
    pub fn switch_deploy(&self, deploy: DeployId) -> Result<()> {
        self.write(|db| {
            let row = get(db, deploy)?;
            let release = row.release.ok_or(StoreError::NoRelease(deploy))?;
            advance(db, deploy, DeployState::Switching)?;
            db.execute(
                "UPDATE apps SET active_deploy = ?2, release_id = ?3, wanted = 'running' WHERE id = ?1",
                params![row.app.0, deploy.0, release.0],
            )?;
            Ok(())
        })
    }

    /// Records how it ended, and why when it did not succeed.
    pub fn end_deploy(&self, deploy: DeployId, outcome: Outcome, error: Option<&str>) -> Result<()> {
        self.write(|db| {
            advance(db, deploy, DeployState::Ended(outcome))?;
            db.execute("UPDATE deploys SET error = ?2 WHERE id = ?1", params![deploy.0, error])?;
            Ok(())
        })
    }

    /// The deploy uses a release that is there already.
    pub fn use_release(&self, deploy: DeployId, release: ReleaseId) -> Result<()> {
        self.write(|db| {
            db.execute("UPDATE deploys SET release_id = ?2 WHERE id = ?1", params![deploy.0, release.0])?;
            Ok(())
        })
    }
}

pub(crate) fn get(db: &Connection, deploy: DeployId) -> Result<Deploy> {
    find(db, deploy)?.ok_or(StoreError::NoRow { what: "deploy", id: deploy.0 })
}

/// Moves on, if the state machine allows it.
pub(crate) fn advance(db: &Connection, deploy: DeployId, to: DeployState) -> Result<()> {
    let from = get(db, deploy)?.state;
    if !from.may_become(to) {
        return Err(StoreError::IllegalTransition { deploy, from, to });
    }
    db.execute("UPDATE deploys SET state = ?2, updated_at = ?3 WHERE id = ?1", params![deploy.0, to.as_str(), now()])?;
    Ok(())
}

fn find(db: &Connection, id: DeployId) -> Result<Option<Deploy>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE id = ?1"))?;
    query.query_row([id.0], |row| Ok(deploy(row))).optional()?.transpose()
}

fn deploy(row: &Row<'_>) -> Result<Deploy> {
    let id: i64 = row.get(0)?;
    let (kind, state): (String, String) = (row.get(2)?, row.get(3)?);
    let commit: Option<String> = row.get(5)?;
    Ok(Deploy {
        id: DeployId(id),
        app: AppId(row.get(1)?),
        kind: DeployKind::parse(&kind).ok_or_else(|| inconsistent("deploys", id, "unknown kind"))?,
        state: DeployState::parse(&state).ok_or_else(|| inconsistent("deploys", id, "unknown state"))?,
        release: row.get::<_, Option<i64>>(4)?.map(ReleaseId),
        commit: commit.map(CommitId::new).transpose().map_err(|error| inconsistent("deploys", id, error))?,
        requested_by: row.get(6)?,
        error: row.get(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
    })
}
