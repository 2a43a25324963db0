//! A deploy, one file per step. Each step stores its state before its effect; what a step did is found again by name and label.

mod build;
mod check;
mod cleanup;
mod drain;
mod prepare;
mod release_command;
mod resume;
mod start;
mod switch;
mod undo;

use std::{sync::Arc, time::Duration};

use paas_domain::{DeployEvent, DeployState, Outcome};
use paas_store::{Deploy, StoreError};
use tracing::Instrument as _;

pub(crate) use self::{
    resume::resume,
    start::{ensure_surroundings, start_one},
};
use crate::{
    deployer::{Deployer, Job},
    failpoint,
    failure::{Failure, Stop, chain},
    run::Run,
};

/// After a successful push git still has to move the branch; the app's next deploy waits for that, but not for ever: receive-pack may have died.
const RECEIVE_DEADLINE: Duration = Duration::from_secs(10);

/// Drives one deploy from its first state to its end. Never fails: every failure is the deploy's end.
pub(crate) async fn drive(deployer: &Arc<Deployer>, run: &Arc<Run>, job: Job) {
    let span = tracing::info_span!("deploy", deploy.id = run.deploy.0, app.id = run.app.0);
    async {
        // Waiting for the turn can be ended like everything before the switch.
        let turn = tokio::select! {
            turn = deployer.turn(run.app) => turn,
            outcome = run.until_stopped() => {
                end_before_switch(deployer, run, &Stop::Ended(outcome));
                return;
            }
        };
        let prepared = tokio::select! {
            biased;
            outcome = run.until_stopped() => Err(Stop::Ended(outcome)),
            prepared = prepare::prepare(deployer, run, &job) => prepared,
        };
        let switched = prepared.and_then(|()| switch::commit(deployer, run));
        match switched {
            Ok(()) => {
                complete(deployer, run).await;
                if run.push.is_some() {
                    let _ = tokio::time::timeout(RECEIVE_DEADLINE, run.received.notified()).await;
                }
            }
            Err(stop) => {
                undo::undo(deployer, run.deploy).await;
                end_before_switch(deployer, run, &stop);
            }
        }
        drop(turn);
        deployer.look.notify_one();
    }
    .instrument(span)
    .await;
}

/// From the switch on: forward until done. Repeatable after a crash.
async fn complete(deployer: &Arc<Deployer>, run: &Run) {
    switch::route(deployer, run).await;
    drain::drain(deployer, run).await;
    failpoint::at(DeployState::Ended(Outcome::Done), "before");
    if let Err(error) = deployer.store.end_deploy(run.deploy, Outcome::Done, None) {
        // The next start sees a draining deploy and completes it again.
        Deployer::note("the end of a deploy could not be stored", &error);
    }
    failpoint::at(DeployState::Ended(Outcome::Done), "after");
    let row = deployer.store.get_deploy(run.deploy);
    if let Err(error) = row.and_then(|row| deployer.tell_end(run, &row)) {
        Deployer::note("a deploy's end could not be told", &error);
    }
    deployer.forget_later(run);
    cleanup::remove_old_images(deployer, run.app).await;
}

fn end_before_switch(deployer: &Deployer, run: &Run, stop: &Stop) {
    let (outcome, error) = match stop {
        Stop::Failed(failure) => {
            tell_failure(run, failure);
            (Outcome::Failed, run.log.mask(&failure.message))
        }
        Stop::Ended(outcome) => {
            let sentence = sentence(*outcome);
            run.log.error(sentence);
            (*outcome, sentence.to_owned())
        }
    };
    if let Err(error) = deployer.store.end_deploy(run.deploy, outcome, Some(&error)) {
        Deployer::note("the end of a deploy could not be stored", &error);
    }
    tracing::info!(outcome = outcome.as_str(), error, "deploy ended");
    run.log.tell(DeployEvent::Ended { outcome, release: None, url: None });
    deployer.forget_later(run);
}

fn tell_failure(run: &Run, failure: &Failure) {
    run.log.error(failure.message.as_str());
    for detail in &failure.details {
        run.log.line(detail.as_str());
    }
    for hint in &failure.hints {
        run.log.error(hint.as_str());
    }
}

fn sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Superseded => "a newer push of this app replaced this one",
        Outcome::Cancelled => "the deploy was cancelled; nothing changed",
        Outcome::Interrupted => "paas was restarted before the switch; nothing changed, push again",
        Outcome::Failed | Outcome::Done => "the deploy ended",
    }
}

/// Stores a state before its effect.
fn advance(deployer: &Deployer, run: &Run, state: DeployState) -> Result<(), Stop> {
    failpoint::at(state, "before");
    deployer.store.advance_deploy(run.deploy, state)?;
    failpoint::at(state, "after");
    Ok(())
}

impl Deployer {
    /// Tells the end of a deploy as its row has it.
    pub(crate) fn tell_end(&self, run: &Run, row: &Deploy) -> Result<(), StoreError> {
        let DeployState::Ended(outcome) = row.state else {
            // Not ours to end: the task that drives it, or the next start, does.
            run.log.error("the deploy is still under way");
            run.log.tell(DeployEvent::Ended { outcome: Outcome::Interrupted, release: None, url: None });
            return Ok(());
        };
        if let Some(error) = &row.error {
            run.log.error(error.as_str());
        }
        let release = row.release.map(|id| self.store.get_release(id)).transpose()?;
        let url = if outcome == Outcome::Done {
            self.urls(&self.store.get_app_by_id(row.app)?).into_iter().next()
        } else {
            None
        };
        let release = release.filter(|_| outcome == Outcome::Done).map(|release| release.version);
        run.log.tell(DeployEvent::Ended { outcome, release, url });
        Ok(())
    }
}

/// A failure of the engine, the store or the proxy as a sentence.
fn failed(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(format!("{what}: {}", chain(error)))
}
