use paas_domain::{AppId, CommitId, DeployId, DeployKind, DeployState, Outcome, ReleaseId, Share, Strategy};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{
    apps, candidates,
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
    /// How it takes the old release's place; `Rolling` until it holds the app's requests.
    pub strategy: Strategy,
    /// How many visitors get it while it is a candidate; kept after that.
    pub share: Option<Share>,
    /// How it will end, while it is being undone.
    pub ends_as: Option<Outcome>,
}

impl Deploy {
    /// Whether the app's requests are kept from its containers for this deploy, which alone stops and starts them then.
    pub fn is_holding(&self) -> bool {
        use DeployState::{Checking, Holding, Releasing, Starting};
        self.strategy.stops_first() && matches!(self.state, Holding | Releasing | Starting | Checking)
    }
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

const COLUMNS: &str = "id, app_id, kind, state, release_id, commit_id, requested_by, error, created_at, updated_at, strategy, share, ends_as";
const RUNNING: &str =
    "state NOT IN ('candidate', 'done', 'failed', 'cancelled', 'superseded', 'interrupted', 'aborted')";
const HOLDING: &str = "strategy <> 'rolling' AND state IN ('holding', 'releasing', 'starting', 'checking')";
/// For `state NOT IN`: a candidate has not ended.
pub(crate) const ENDED: &str = "('done', 'failed', 'cancelled', 'superseded', 'interrupted', 'aborted')";

impl Store {
    /// Records a deploy, queued. Refused when its app is being destroyed.
    pub fn create_deploy(&self, new: NewDeploy) -> Result<Deploy> {
        let NewDeploy { app, kind, commit, requested_by } = new;
        self.write(|db| {
            apps::require_staying(db, app)?;
            let at = now();
            db.execute(
                "INSERT INTO deploys (app_id, kind, state, commit_id, requested_by, created_at, updated_at) VALUES (?1, ?2, 'queued', ?3, ?4, ?5, ?5)",
                params![app.0, kind.as_str(), commit.as_ref().map(CommitId::as_str), requested_by, at],
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
            let mut query = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM deploys WHERE app_id = ?1 ORDER BY id DESC LIMIT ?2"
            ))?;
            query.query_map(params![app.0, limit], |row| Ok(deploy(row)))?.map(|row| row?).collect()
        })
    }

    /// How many deploys on record stand in each state, ended ones included.
    pub fn deploys_by_state(&self) -> Result<Vec<(DeployState, u64)>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT state, count(*) FROM deploys GROUP BY state ORDER BY state")?;
            let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
            rows.map(|row| {
                let (word, count) = row?;
                let state = DeployState::parse(&word)
                    .ok_or_else(|| inconsistent("deploys", "?", format!("unknown state {word:?}")))?;
                Ok((state, u64::try_from(count).unwrap_or_default()))
            })
            .collect()
        })
    }

    /// Every deploy that is under way, oldest first. A candidate is not: it waits for a person.
    pub fn running_deploys(&self) -> Result<Vec<Deploy>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE {RUNNING} ORDER BY id"))?;
            query.query_map([], |row| Ok(deploy(row)))?.map(|row| row?).collect()
        })
    }

    /// The deploy for which the app's requests are kept from its containers, if there is one.
    pub fn holding_deploy(&self, app: AppId) -> Result<Option<Deploy>> {
        self.read(|db| {
            let mut query =
                db.prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE app_id = ?1 AND {HOLDING}"))?;
            query.query_row([app.0], |row| Ok(deploy(row))).optional()?.transpose()
        })
    }

    /// Records that requests are kept from the app's containers from now on, in the way of that strategy: all containers of the app are about to stop,
    /// those of its candidate too. It stays the candidate until the switch, because it comes back when this deploy fails.
    pub fn hold_deploy(&self, deploy: DeployId, strategy: Strategy) -> Result<()> {
        self.write(|db| {
            if !strategy.stops_first() {
                return Err(inconsistent("deploys", deploy, format!("{strategy} holds no requests")));
            }
            let (from, to) = (get(db, deploy)?.state, DeployState::Holding);
            if !from.may_become(to) {
                return Err(StoreError::IllegalTransition { deploy, from, to });
            }
            db.execute(
                "UPDATE deploys SET strategy = ?2 WHERE id = ?1",
                params![deploy.0, strategy.as_str()],
            )?;
            advance(db, deploy, DeployState::Holding)
        })
    }

    /// Records the state whose effect is about to begin. Holding, candidate and switch have methods of their own, and ends go through
    /// [`Store::end_deploy`].
    pub fn advance_deploy(&self, deploy: DeployId, state: DeployState) -> Result<()> {
        self.write(|db| {
            let from = get(db, deploy)?.state;
            let drains_unswitched = state == DeployState::Draining && from != DeployState::Switching;
            let has_its_own_way =
                matches!(state, DeployState::Holding | DeployState::Candidate | DeployState::Switching);
            if has_its_own_way || state.has_ended() || drains_unswitched {
                return Err(StoreError::IllegalTransition { deploy, from, to: state });
            }
            advance(db, deploy, state)
        })
    }

    /// The point of no return, in one transaction: this deploy's release is the active one and the app is to run. One that is being destroyed
    /// goes on being destroyed: the person said so later than they asked for this deploy. A candidate beside it stays only beside the same release,
    /// and not when this one was started alone.
    pub fn switch_deploy(&self, deploy: DeployId) -> Result<()> {
        self.write(|db| {
            let row = get(db, deploy)?;
            let release = row.release.ok_or(StoreError::NoRelease(deploy))?;
            advance(db, deploy, DeployState::Switching)?;
            let before: Option<i64> =
                db.query_row("SELECT release_id FROM apps WHERE id = ?1", [row.app.0], |row| row.get(0))?;
            if before != Some(release.0) {
                candidates::abort(db, row.app, candidates::OVERTAKEN)?;
            } else if row.strategy.stops_first() {
                candidates::abort(db, row.app, candidates::ALONE)?;
            }
            db.execute(
                "UPDATE apps SET active_deploy = ?2, release_id = ?3,
                     wanted = CASE WHEN wanted IN ('destroyed', 'destroyed_with_volumes') THEN wanted ELSE 'running' END
                 WHERE id = ?1",
                params![row.app.0, deploy.0, release.0],
            )?;
            Ok(())
        })
    }

    /// Records how it will end, and why, before it is undone.
    pub fn begin_undo(&self, deploy: DeployId, outcome: Outcome, error: &str) -> Result<()> {
        self.write(|db| {
            let from = get(db, deploy)?.state;
            let to = DeployState::Ended(outcome);
            if from.has_switched() || !from.may_become(to) {
                return Err(StoreError::IllegalTransition { deploy, from, to });
            }
            let sql = "UPDATE deploys SET ends_as = ?2, error = ?3 WHERE id = ?1";
            db.execute(sql, params![deploy.0, outcome.as_str(), error])?;
            Ok(())
        })
    }

    /// Records how it ended, and why when it did not succeed.
    pub fn end_deploy(&self, deploy: DeployId, outcome: Outcome, error: Option<&str>) -> Result<()> {
        self.write(|db| {
            advance(db, deploy, DeployState::Ended(outcome))?;
            let sql = "UPDATE deploys SET error = ?2, ends_as = NULL WHERE id = ?1";
            db.execute(sql, params![deploy.0, error])?;
            Ok(())
        })
    }

    /// The deploy uses a release of its app that is there already.
    pub fn use_release(&self, deploy: DeployId, release: ReleaseId) -> Result<()> {
        self.write(|db| {
            let app = undecided(db, deploy)?.app;
            let owner: Option<i64> = db
                .query_row("SELECT app_id FROM releases WHERE id = ?1", [release.0], |row| row.get(0))
                .optional()?;
            match owner {
                None => return Err(StoreError::NoRow { what: "release", id: release.0 }),
                Some(owner) if owner != app.0 => {
                    return Err(inconsistent("releases", release, "it belongs to another app"));
                }
                Some(_) => {}
            }
            db.execute("UPDATE deploys SET release_id = ?2 WHERE id = ?1", params![deploy.0, release.0])?;
            Ok(())
        })
    }
}

pub(crate) fn get(db: &Connection, deploy: DeployId) -> Result<Deploy> {
    find(db, deploy)?.ok_or(StoreError::NoRow { what: "deploy", id: deploy.0 })
}

/// A deploy whose release can still be chosen: from the switch on it is also the app's.
pub(crate) fn undecided(db: &Connection, deploy: DeployId) -> Result<Deploy> {
    let row = get(db, deploy)?;
    if row.state.has_switched() || row.state.has_ended() || row.state == DeployState::Candidate {
        return Err(inconsistent(
            "deploys",
            deploy,
            format!("it is {} and takes no release any more", row.state),
        ));
    }
    Ok(row)
}

/// Moves on, if the state machine allows it.
pub(crate) fn advance(db: &Connection, deploy: DeployId, to: DeployState) -> Result<()> {
    let from = get(db, deploy)?.state;
    if !from.may_become(to) {
        return Err(StoreError::IllegalTransition { deploy, from, to });
    }
    db.execute(
        "UPDATE deploys SET state = ?2, updated_at = ?3 WHERE id = ?1",
        params![deploy.0, to.as_str(), now()],
    )?;
    Ok(())
}

fn find(db: &Connection, id: DeployId) -> Result<Option<Deploy>> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM deploys WHERE id = ?1"))?;
    query.query_row([id.0], |row| Ok(deploy(row))).optional()?.transpose()
}

fn deploy(row: &Row<'_>) -> Result<Deploy> {
    let id: i64 = row.get(0)?;
    let (kind, state, strategy): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(10)?);
    let share: Option<u8> = row.get(11)?;
    let ends_as: Option<String> = row.get(12)?;
    let ends_as = ends_as.map(|word| match DeployState::parse(&word) {
        Some(DeployState::Ended(outcome)) => Ok(outcome),
        _ => Err(inconsistent("deploys", id, "unknown outcome")),
    });
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
        strategy: Strategy::parse(&strategy)
            .ok_or_else(|| inconsistent("deploys", id, "unknown strategy"))?,
        share: share.map(Share::new).transpose().map_err(|error| inconsistent("deploys", id, error))?,
        ends_as: ends_as.transpose()?,
    })
}
