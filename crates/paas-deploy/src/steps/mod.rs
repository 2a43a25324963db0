//! A deploy, one file per step. Each step stores its state before its effect; what a step did is found again by name and label.

mod abandon;
mod build;
mod candidate;
mod check;
mod cleanup;
mod drain;
mod hold;
mod prepare;
mod release_command;
mod resume;
mod start;
mod switch;
mod undo;

use std::{sync::Arc, time::Duration};

use paas_domain::{DeployEvent, DeployState, Outcome};
use paas_proxy::{HoldPolicy, ServiceState};
use paas_store::{Deploy, StoreError};
use tokio::sync::OwnedMutexGuard;
use tracing::Instrument as _;

use self::prepare::Ending;
pub(crate) use self::{
    candidate::promote,
    resume::resume,
    start::{ensure_surroundings, start_to_stay},
};
use crate::{
    deployer::{Deployer, Job, NextLook},
    failpoint,
    failure::{Failure, Stop, chain},
    names,
    routes::ApplyRoutesError,
    run::Run,
};

/// After a successful push git still has to move the branch; the app's next deploy waits for that, but not for ever: receive-pack may have died.
const RECEIVE_DEADLINE: Duration = Duration::from_secs(10);

/// Drives one deploy from its first state to its end. Never fails: every failure is the deploy's end.
pub(crate) async fn drive(deployer: &Arc<Deployer>, run: &Arc<Run>, job: Job) -> NextLook {
    let span = tracing::info_span!("deploy", deploy.id = run.deploy.0, app.id = run.app.0);
    async {
        // Out here, so that a deploy that is stopped in the middle still has the turn while it is undone.
        let mut turn = None;
        let prepared = tokio::select! {
            biased;
            outcome = run.until_stopped() => Err(Stop::Ended(outcome)),
            prepared = with_turn(deployer, run, &job, &mut turn) => prepared,
        };
        match end(deployer, run, prepared).await {
            Ok(Routed::Yes) if run.push.is_some() => {
                let _ = tokio::time::timeout(RECEIVE_DEADLINE, run.received.notified()).await;
            }
            Ok(Routed::Yes | Routed::Refused) => {}
            Err(stop) => abandon::abandon(deployer, run, &stop).await,
        }
    }
    .instrument(span)
    .await;
    // One that could not be undone is tried again once; then as often as the reconciler looks.
    NextLook::AtOnce
}

/// Builds, then waits for the app's turn, then prepares up to the switch; the turn goes on with the deploy.
async fn with_turn(
    deployer: &Arc<Deployer>,
    run: &Run,
    job: &Job,
    turn: &mut Option<OwnedMutexGuard<()>>,
) -> Result<Ending, Stop> {
    let build = prepare::build(deployer, run, job).await?;
    *turn = deployer.try_turn(run.app);
    if turn.is_none() {
        run.log.step("Waiting for another change of this app to end");
        *turn = Some(deployer.turn(run.app).await);
    }
    prepare::prepare(deployer, run, job, build).await
}

/// Whether the proxy follows what the store says about a new release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Routed {
    Yes,
    /// It refuses, and another try alone does not help.
    Refused,
}

/// The new release is the one to serve from here on: everybody, or its share. An error comes before that.
async fn end(deployer: &Arc<Deployer>, run: &Run, prepared: Result<Ending, Stop>) -> Result<Routed, Stop> {
    match prepared? {
        Ending::Switch => {
            switch::commit(deployer, run)?;
            Ok(complete(deployer, run).await)
        }
        Ending::Candidate(share) => {
            candidate::commit(deployer, run, share).await?;
            Ok(candidate::serve(deployer, run).await)
        }
    }
}

/// From the switch on: forward until done. Repeatable after a crash. While the proxy refuses the routes the deploy is not done, whoever waits for it is
/// told so, and the reconciler comes here again.
async fn complete(deployer: &Arc<Deployer>, run: &Run) -> Routed {
    if let Err(error) = switch::route(deployer, run).await {
        tell_refused(deployer, run, &error).await;
        return Routed::Refused;
    }
    drain::drain(deployer, run).await;
    failpoint::at(DeployState::Ended(Outcome::Done), "before");
    if let Err(error) = deployer.store.end_deploy(run.deploy, Outcome::Done, None) {
        // The reconciler sees a deploy that nobody drives and completes it again.
        Deployer::note("the end of a deploy could not be stored", &error);
    }
    failpoint::at(DeployState::Ended(Outcome::Done), "after");
    deployer.tell_done(run);
    deployer.forget_later(run);
    cleanup::remove_old_images(deployer, run.app).await;
    Routed::Yes
}

/// The row says which release is to serve, and the proxy does not follow.
async fn tell_refused(deployer: &Deployer, run: &Run, error: &ApplyRoutesError) {
    run.log.error(format!("the site does not serve the new version: {}", chain(error)));
    let told_again = "the proxy is told again until it takes the new version";
    run.log.error(match visitors_until_then(deployer, run).await {
        Some(until_then) => format!("{told_again}; until then {until_then}"),
        None => told_again.to_owned(),
    });
    run.log.error("change what is named here, and it serves by itself; or deploy another version");
    run.log.tell(DeployEvent::Ended { outcome: Outcome::Failed, release: None, url: None, share: None });
    deployer.forget_later(run);
}

/// What visitors get of the app as the proxy has it: asked there, because the deploy may have been begun by an earlier life of control. `None` when
/// the proxy does not say.
async fn visitors_until_then(deployer: &Deployer, run: &Run) -> Option<String> {
    let (services, name) = (deployer.proxy.services().await.ok()?, names::service(run.app));
    let held = services
        .into_iter()
        .find(|service| service.name == name && service.state == ServiceState::Held)
        .map(|service| service.policy.hold);
    Some(match held {
        None => "nothing changes for visitors".to_owned(),
        Some(HoldPolicy { timeout_ms: 0, .. } | HoldPolicy { requests: 0, .. }) => {
            "visitors are answered 503: the old version is stopped".to_owned()
        }
        Some(HoldPolicy { timeout_ms, .. }) => format!(
            "visitors wait, each {} s at most, and are then answered 503: the old version is stopped",
            Duration::from_millis(timeout_ms).as_secs_f64()
        ),
    })
}

fn sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Superseded => "a newer push of this app replaced this one",
        Outcome::Cancelled => "the deploy was cancelled; nothing changed",
        Outcome::Interrupted => "paas was restarted before the switch; nothing changed, push again",
        Outcome::Failed | Outcome::Done | Outcome::Aborted => "the deploy ended",
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
    /// Tells that the new release serves. Past the switch that is so, whatever else could not be done.
    fn tell_done(&self, run: &Run) {
        let release = self.store.get_deploy(run.deploy).ok().and_then(|row| row.release);
        let release = release.and_then(|id| self.store.get_release(id).ok()).map(|release| release.version);
        let app = self.store.get_app_by_id(run.app).ok();
        let url = app.and_then(|app| self.urls(&app).into_iter().next());
        run.log.tell(DeployEvent::Ended { outcome: Outcome::Done, release, url, share: None });
    }

    /// Tells the end of a deploy as its row has it.
    pub(crate) fn tell_end(&self, run: &Run, row: &Deploy) -> Result<(), StoreError> {
        let (outcome, share) = match row.state {
            DeployState::Ended(outcome) => (outcome, None),
            // For whoever pushed it, it is done.
            DeployState::Candidate => (Outcome::Done, row.share),
            _ => {
                // Not ours to end: the task that drives it, or the next start, does.
                run.log.error("the deploy is still under way");
                let outcome = Outcome::Interrupted;
                run.log.tell(DeployEvent::Ended { outcome, release: None, url: None, share: None });
                return Ok(());
            }
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
        run.log.tell(DeployEvent::Ended { outcome, release, url, share });
        Ok(())
    }
}

/// A failure of the engine, the store or the proxy as a sentence.
fn failed(what: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(format!("{what}: {}", chain(error)))
}
