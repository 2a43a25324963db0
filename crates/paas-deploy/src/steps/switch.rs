use std::{sync::Arc, time::Duration};

use paas_domain::DeployState;

use super::hold;
use crate::{
    deployer::Deployer,
    failpoint,
    failure::{Failure, Stop},
    routes::ApplyRoutesError,
    run::Run,
};

/// Between two tries to reach a proxy that is away after the point of no return.
const RETRY: Duration = Duration::from_millis(200);

/// The point of no return: one row says which deploy serves from now on. Whoever wants to stop the deploy comes before or too late.
pub(crate) fn commit(deployer: &Deployer, run: &Run) -> Result<(), Stop> {
    if let Some(refusal) = deployer.refused_if_active(run.deploy)? {
        return Err(Failure::new(format!("the proxy would not serve the new version: {refusal}"))
            .hint("change what is named here, and deploy again")
            .into());
    }
    failpoint::at(DeployState::Switching, "before");
    run.pass(|| deployer.store.switch_deploy(run.deploy)).map_err(Stop::Ended)??;
    failpoint::at(DeployState::Switching, "after");
    Ok(())
}

/// Makes the proxy follow the row: one command replaces the old targets by the new ones.
pub(crate) async fn route(deployer: &Arc<Deployer>, run: &Run) -> Result<(), ApplyRoutesError> {
    let complaint = "the proxy does not take the switch yet; it is repeated until it does";
    let routed = route_until_taken(deployer, run, complaint).await;
    if routed.is_ok() {
        run.log.step(format!("Switched after {:.1} s", run.began.elapsed().as_secs_f64()));
        hold::tell_waited(deployer, run);
    }
    routed
}

/// Makes the proxy follow the rows. Repeated while it is away, because the rows are law; what it refuses for good is left to the reconciler, which
/// looks again.
pub(super) async fn route_until_taken(
    deployer: &Deployer,
    run: &Run,
    complaint: &str,
) -> Result<(), ApplyRoutesError> {
    let mut complained = false;
    loop {
        match deployer.apply_routes(run.app).await {
            Ok(given_up) => {
                for one in given_up {
                    if one.is_of_file {
                        run.log.line(format!("warning: {one}"));
                    } else {
                        run.log.error(format!("not every hostname of the app is served: {one}"));
                    }
                }
                return Ok(());
            }
            Err(error) if !error.may_pass() => return Err(error),
            Err(error) if !complained => {
                complained = true;
                run.log.error(complaint);
                Deployer::note("the proxy did not take the routes", &error);
            }
            Err(_) => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}
