use futures_util::future::{join_all, try_join_all};
use paas_domain::{DeployState, Strategy};
use paas_store::{App, ContainerRow};

use super::{drain::Rows, switch};
use crate::{
    deployer::Deployer,
    environment::process_name,
    failpoint,
    failure::{Failure, Stop, chain},
    run::{Held, Run},
};

/// Keeps the app's requests from its containers and stops these, so that what follows is alone with the app's data. Nothing to do for an app
/// without containers.
///
/// The release command comes after this: it writes to the same database as the old version would.
pub(crate) async fn hold(deployer: &Deployer, run: &Run, app: &App, strategy: Strategy) -> Result<(), Stop> {
    let has_others =
        || deployer.store.containers(app.id).map(|rows| rows.iter().any(|row| row.deploy != run.deploy));
    if !strategy.stops_first() || !has_others()? {
        return Ok(());
    }
    failpoint::at(DeployState::Holding, "before");
    deployer.store.hold_deploy(run.deploy, strategy)?;
    failpoint::at(DeployState::Holding, "after");
    run.log.step(match strategy {
        Strategy::Recreate => {
            "Stopping the old version; visitors are answered 503 until the new one is there"
        }
        Strategy::Hold | Strategy::Rolling => {
            "Stopping the old version; visitors wait until the new one is there"
        }
    });
    let limit = deployer.service(app)?.map(|(service, _)| service.policy.hold.timeout_ms);
    deployer
        .apply_routes(run.app)
        .await
        .map_err(|error| Failure::new(format!("the proxy does not hold the requests: {}", chain(&error))))?;
    run.hold(Held::begin(strategy, limit));
    // The candidate's too: it comes back when this deploy fails.
    let Rows { wanted, unwanted } = deployer.rows(run.app)?;
    let leaving = unwanted.iter().filter(|row| row.deploy != run.deploy);
    let leave = join_all(leaving.map(|row| deployer.retire(row)));
    let stop = try_join_all(wanted.iter().map(|row| stop_one(deployer, run, row)));
    let (_, stopped) = tokio::join!(leave, stop);
    stopped?;
    match deployer.rows(run.app)?.unwanted.iter().find(|row| row.deploy != run.deploy) {
        None => Ok(()),
        Some(row) => Err(Failure::new(format!(
            "{} of an earlier deploy could not be removed, and two versions must not run at one time",
            process_name(row)
        ))
        .hint("push again; if it stays, `docker ps` on the server shows what keeps it")
        .into()),
    }
}

/// Drains and stops a container that may have to be started again; it and its row stay.
async fn stop_one(deployer: &Deployer, run: &Run, row: &ContainerRow) -> Result<(), Stop> {
    let spec = deployer.store.get_release(row.release)?.spec;
    if !deployer.wait_drained(row, spec.drain_timeout).await {
        return Err(Failure::new(format!(
            "{} still receives requests and was not stopped",
            process_name(row)
        ))
        .hint("push again; `paas status` says whether the proxy answers")
        .into());
    }
    run.note_stop(row.id);
    Ok(deployer.engine.stop_container(&row.name, spec.stop_grace).await?)
}

/// Undoes a hold whose new containers are gone: the old ones, and those of the candidate, run again and are checked. What cannot be done now, the reconciler does: nothing but
/// the old version can be alive any more.
pub(super) async fn give_back(deployer: &Deployer, run: &Run) {
    let app = match deployer.store.get_app_by_id(run.app) {
        Ok(app) if app.wanted == paas_store::Wanted::Running => app,
        // It goes on being stopped or destroyed.
        Ok(_) => return,
        Err(error) => return Deployer::note("the app could not be read", &error),
    };
    let rows = match deployer.rows(run.app) {
        Ok(rows) => rows.wanted,
        Err(error) => return Deployer::note("the old containers could not be listed", &error),
    };
    if rows.is_empty() {
        return;
    }
    run.log.step("Starting the old version again");
    for failure in
        join_all(rows.iter().map(|row| give_back_one(deployer, run, &app, row))).await.into_iter().flatten()
    {
        run.log.error(failure);
    }
}

/// Starts one container again and waits until it is healthy; says what is wrong.
async fn give_back_one(deployer: &Deployer, run: &Run, app: &App, row: &ContainerRow) -> Option<String> {
    let name = process_name(row);
    // A stop that was asked for may still be under way in the engine: it is seen to its end, so that it does not end the start.
    if run.may_have_stopped(row.id)
        && let Err(stop) = stop_one(deployer, run, row).await
    {
        tracing::warn!(container.name = row.name, ?stop, "an old container was not seen to stop");
    }
    if let Err(error) = deployer.revive(app, row).await {
        let shown = chain(&error);
        return Some(format!(
            "the old {name} could not be started again, and is tried again all the time: {shown}"
        ));
    }
    let release = match deployer.store.get_release(row.release) {
        Ok(release) => release,
        Err(error) => return Some(format!("the old release could not be read: {}", chain(&error))),
    };
    let Err(stop) = super::check::check_again(deployer, app, &release, row).await else { return None };
    Some(match stop {
        Stop::Failed(failure) => format!("the old version is not as it was: {}", failure.message),
        Stop::Ended(_) => format!("the old {name} was not checked"),
    })
}

/// Makes the proxy pass requests on again after a hold that is over in the store, and tells how long it was.
pub(super) async fn release(deployer: &Deployer, run: &Run) {
    let complaint = "the proxy does not pass requests on yet; it is told until it does";
    if let Err(error) = switch::route_until_taken(deployer, run, complaint).await {
        run.log.error(format!("the proxy goes on keeping requests from the app: {}", chain(&error)));
    }
    tell_waited(deployer, run);
}

/// Tells what the hold meant for visitors.
pub(super) fn tell_waited(deployer: &Deployer, run: &Run) {
    let Some(held) = run.take_held() else { return };
    let app =
        deployer.store.get_app_by_id(run.app).map_or_else(|_| "APP".to_owned(), |app| app.name.to_string());
    let waited = held.since.elapsed();
    let seconds = waited.as_secs_f64();
    if held.strategy == Strategy::Recreate {
        return run.log.step(format!("Visitors were answered 503 for {seconds:.1} s"));
    }
    run.log.step(format!("Visitors waited up to {seconds:.1} s"));
    if held.limit.is_some_and(|limit| waited > limit) {
        let limit = held.limit.unwrap_or_default().as_secs_f64();
        run.log.error(format!(
            "a request waits at most {limit} s: those that came before the last {limit} s were answered 503"
        ));
        run.log.error(format!(
            "make it stop and start faster (`paas deploys:set {app} --drain-timeout`), or set the strategy `recreate`"
        ));
    }
}
