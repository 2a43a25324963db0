use paas_domain::{AppId, DeployId, DeployState, Outcome, Share};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    deploys::{self, Deploy},
    error::inconsistent,
    store::{Result, Store},
};

/// Why an earlier candidate ended, for people.
const REPLACED: &str = "a newer candidate took its place";
/// What was made a candidate beside one release is none beside another: it would not have what that one brought.
pub(crate) const OVERTAKEN: &str = "another release became the active one";
/// Beside a release that was started alone there is no candidate.
pub(crate) const ALONE: &str = "the release that became active lets no other run beside it";
/// A stopped app has no candidate.
pub(crate) const STOPPED: &str = "the app was stopped";

impl Store {
    /// The app's candidate, if it has one.
    pub fn candidate(&self, app: AppId) -> Result<Option<Deploy>> {
        self.read(|db| find(db, app)?.map(|id| deploys::get(db, id)).transpose())
    }

    /// In one transaction: this deploy is the candidate from now on, for that share of the visitors, and the one before it is aborted.
    pub fn make_candidate(&self, deploy: DeployId, share: Share) -> Result<()> {
        self.write(|db| {
            let row = deploys::get(db, deploy)?;
            let active: Option<i64> =
                db.query_row("SELECT active_deploy FROM apps WHERE id = ?1", [row.app.0], |row| row.get(0))?;
            if active.is_none() {
                return Err(inconsistent(
                    "deploys",
                    deploy,
                    "nothing serves that it could be a candidate beside",
                ));
            }
            abort(db, row.app, REPLACED)?;
            db.execute("UPDATE deploys SET share = ?2 WHERE id = ?1", params![deploy.0, share.percent()])?;
            deploys::advance(db, deploy, DeployState::Candidate)
        })
    }

    /// Changes the share of the app's candidate. Gives the candidate as it is now; none when there is none.
    pub fn set_share(&self, app: AppId, share: Share) -> Result<Option<Deploy>> {
        self.write(|db| {
            let Some(id) = find(db, app)? else { return Ok(None) };
            db.execute("UPDATE deploys SET share = ?2 WHERE id = ?1", params![id.0, share.percent()])?;
            deploys::get(db, id).map(Some)
        })
    }

    /// Ends the app's candidate, for that reason. Gives the candidate that was; none when there was none.
    pub fn abort_candidate(&self, app: AppId, why: &str) -> Result<Option<Deploy>> {
        self.write(|db| abort(db, app, why)?.map(|id| deploys::get(db, id)).transpose())
    }
}

/// Ends the app's candidate, if it has one, for that reason.
pub(crate) fn abort(db: &Connection, app: AppId, why: &str) -> Result<Option<DeployId>> {
    let Some(id) = find(db, app)? else { return Ok(None) };
    deploys::advance(db, id, DeployState::Ended(Outcome::Aborted))?;
    db.execute("UPDATE deploys SET error = ?2 WHERE id = ?1", params![id.0, why])?;
    Ok(Some(id))
}

fn find(db: &Connection, app: AppId) -> Result<Option<DeployId>> {
    let mut query = db.prepare_cached("SELECT id FROM deploys WHERE app_id = ?1 AND state = 'candidate'")?;
    Ok(query.query_row([app.0], |row| row.get(0)).optional()?.map(DeployId))
}
