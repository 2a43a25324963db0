use std::sync::Arc;

use paas_domain::Outcome;
use paas_store::Deploy;

use super::{
    abandon::{abandon, undo_as},
    complete,
};
use crate::{
    deployer::{Deployer, NextLook},
    failure::Stop,
    run::Run,
};

/// Ends a deploy that an earlier life of control left: forward from the switch on, else undone.
pub(crate) async fn resume(deployer: &Arc<Deployer>, run: &Arc<Run>, row: &Deploy) -> NextLook {
    let _turn = deployer.turn(run.app).await;
    if row.state.has_switched() {
        // Passed in the store; nobody may stop it here either.
        let _ = run.pass(|| Ok::<(), std::convert::Infallible>(()));
        // When a newer deploy has switched since, this one only has to be ended: `complete` goes by what the store calls active.
        complete(deployer, run).await;
    } else {
        run.forget_stops();
        match (row.ends_as, &row.error) {
            // Not undone completely the last time. That it is tried again is no reason why it ended.
            (Some(outcome), Some(error)) => {
                run.log.error(error.as_str());
                undo_as(deployer, run, outcome, error.clone()).await;
            }
            _ => abandon(deployer, run, &Stop::Ended(Outcome::Interrupted)).await,
        }
    }
    match deployer.store.get_deploy(run.deploy) {
        Ok(row) if row.state.has_ended() => NextLook::AtOnce,
        // What kept it from its end would do so again.
        _ => NextLook::OnTime,
    }
}
