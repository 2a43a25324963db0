use paas_domain::{DeployEvent, Outcome};

use super::{hold, sentence, undo};
use crate::{
    deployer::Deployer,
    failure::{Failure, Stop},
    run::Run,
};

/// Ends a deploy before the switch: tells why, stores it, undoes the deploy, and only then stores the end, so that a crash in the middle undoes it
/// again.
pub(super) async fn abandon(deployer: &Deployer, run: &Run, stop: &Stop) {
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
    if let Err(error) = deployer.store.begin_undo(run.deploy, outcome, &error) {
        Deployer::note("how a deploy will end could not be stored", &error);
    }
    undo_as(deployer, run, outcome, error).await;
}

/// Undoes a deploy that is to end so. Repeatable.
pub(super) async fn undo_as(deployer: &Deployer, run: &Run, outcome: Outcome, error: String) {
    let was_holding = deployer.store.get_deploy(run.deploy).is_ok_and(|row| row.is_holding());
    undo::undo(deployer, run.deploy).await;
    if was_holding && !is_gone(deployer, run) {
        // Not ended: whoever looks next undoes it again. The old version must not start beside what is left of the new one.
        run.log.error(
            "what is left of the new version could not be removed yet; the old one starts as soon as it is",
        );
    } else {
        if was_holding {
            hold::give_back(deployer, run).await;
        }
        if let Err(error) = deployer.store.end_deploy(run.deploy, outcome, Some(&error)) {
            Deployer::note("the end of a deploy could not be stored", &error);
        }
        if was_holding {
            hold::release(deployer, run).await;
        }
    }
    tracing::info!(outcome = outcome.as_str(), error, "deploy ended");
    run.log.tell(DeployEvent::Ended { outcome, release: None, url: None, share: None });
    deployer.forget_later(run);
}

/// Whether no container of the deploy can be there any more.
fn is_gone(deployer: &Deployer, run: &Run) -> bool {
    deployer.store.containers_of_deploy(run.deploy).is_ok_and(|rows| rows.is_empty())
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
