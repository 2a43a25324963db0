use std::sync::Arc;

use futures_util::future::try_join_all;
use paas_docker::RestartPolicy;
use paas_domain::{DeployEvent, DeployState, Outcome, ProcessType, Share};

use super::{Routed, cleanup, complete, drain, prepare, sentence, switch, tell_refused};
use crate::{
    deployer::{Deployer, NextLook},
    failpoint,
    failure::{Failure, Stop, chain},
    run::Run,
};

/// Makes the checked deploy the candidate: a row. Whoever wants to stop the deploy comes before or too late.
pub(super) async fn commit(deployer: &Deployer, run: &Run, share: Share) -> Result<(), Stop> {
    let rows = deployer.store.containers_of_deploy(run.deploy)?;
    // Before the row, because from then on nobody drives the deploy who would do it after a crash.
    let keep =
        rows.iter().map(|row| deployer.engine.set_restart_policy(&row.name, RestartPolicy::UnlessStopped));
    try_join_all(keep).await?;
    failpoint::at(DeployState::Candidate, "before");
    run.pass(|| deployer.store.make_candidate(run.deploy, share)).map_err(Stop::Ended)??;
    failpoint::at(DeployState::Candidate, "after");
    Ok(())
}

/// Gives the candidate its share of the visitors, retires the candidate before it, and tells how to go on. Past the row this is so, whatever could
/// not be done now: the reconciler does it.
pub(super) async fn serve(deployer: &Arc<Deployer>, run: &Run) -> Routed {
    let complaint = "the proxy does not take the candidate yet; it is repeated until it does";
    let routed = switch::route_until_taken(deployer, run, complaint).await;
    drain::retire_unwanted(deployer, run).await;
    if let Err(error) = routed {
        tell_refused(deployer, run, &error).await;
        return Routed::Refused;
    }
    if let Err(error) = tell(deployer, run) {
        Deployer::note("the candidate could not be told", &error);
        run.log.tell(DeployEvent::Ended { outcome: Outcome::Done, release: None, url: None, share: None });
    }
    deployer.forget_later(run);
    cleanup::remove_old_images(deployer, run.app).await;
    Routed::Yes
}

fn tell(deployer: &Deployer, run: &Run) -> Result<(), paas_store::StoreError> {
    let row = deployer.store.get_deploy(run.deploy)?;
    let app = deployer.store.get_app_by_id(run.app)?;
    let version = |release| deployer.store.get_release(release).map(|release| release.version);
    if let (Some(release), Some(active), Some(share)) = (row.release, app.release, row.share) {
        let (release, active, name) = (version(release)?, version(active)?, &app.name);
        run.log
            .step(format!("{release} is the candidate: {share} of the visitors get it, the others {active}"));
        run.log.line(format!("`paas releases:canary {name} 50` gives it to more of them"));
        run.log.line(format!("`paas releases:promote {name}` gives it to everybody"));
        run.log.line(format!("`paas releases:abort {name}` takes it back"));
    }
    deployer.tell_end(run, &row)
}

/// Makes the candidate the active release: the switch and what follows it, as of every deploy.
pub(crate) async fn promote(deployer: &Arc<Deployer>, run: &Arc<Run>) -> NextLook {
    let _turn = deployer.turn(run.app).await;
    let refused = match deployer.store.candidate(run.app) {
        Ok(Some(row)) if row.id == run.deploy => {
            prepare::refuse_while_held(deployer, run.app).and_then(|()| switch::commit(deployer, run)).err()
        }
        Ok(_) => Some(Failure::new("the candidate was promoted, aborted or replaced in the meantime").into()),
        Err(error) => Some(Stop::from(error)),
    };
    match refused {
        None => {
            tell_scale(deployer, run);
            complete(deployer, run).await;
        }
        Some(stop) => {
            let (outcome, message) = match stop {
                Stop::Failed(failure) => (Outcome::Failed, failure.message),
                Stop::Ended(outcome) => (outcome, sentence(outcome).to_owned()),
            };
            // Of the command, not of the deploy, which stays what it was.
            run.log.error(message);
            run.log.tell(DeployEvent::Ended { outcome, release: None, url: None, share: None });
            deployer.forget_later(run);
        }
    }
    NextLook::AtOnce
}

/// A candidate has as many containers as were wanted when it was pushed.
fn tell_scale(deployer: &Deployer, run: &Run) {
    let differs = || {
        let app = deployer.store.get_app_by_id(run.app)?;
        let Some(release) = app.release else { return Ok(None) };
        let wanted = prepare::counts(deployer, &app, &deployer.store.get_release(release)?.spec)?;
        let rows = deployer.store.containers_of_deploy(run.deploy)?;
        let has =
            |name: &ProcessType| rows.iter().filter(|row| row.process_type.as_ref() == Some(name)).count();
        let as_wanted = wanted.iter().all(|(name, count)| has(name) == usize::from(*count));
        Ok::<_, Stop>((!as_wanted).then_some(app.name))
    };
    if let Ok(Some(name)) = differs() {
        run.log.error("the scale was changed after the candidate was pushed");
        run.log.error(format!("`paas ps:restart {name}` brings it to that"));
    }
}

impl Deployer {
    /// Removes the image of a candidate that was aborted, and others that nobody needs.
    pub(crate) async fn forget_candidate(&self, row: &paas_store::Deploy) {
        let tag = crate::names::image_tag(row.app, row.id);
        if let Err(error) = self.engine.remove_image(&tag).await {
            tracing::warn!(error = %chain(&error), "the image of an aborted candidate could not be removed");
        }
        cleanup::remove_old_images(self, row.app).await;
    }
}
