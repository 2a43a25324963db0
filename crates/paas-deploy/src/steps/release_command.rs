use futures_util::StreamExt as _;
use paas_docker::LogsRequest;
use paas_domain::DeployState;
use paas_store::{App, Release};

use super::start;
use crate::{
    deployer::Deployer,
    failpoint,
    failure::{Failure, Stop},
    run::Run,
};

/// Runs the release command (migrations) once, in the new image with the app's config and volumes. Its row is made before it starts and a deploy
/// found with that row after a crash is undone, never resumed: so it runs at most once per deploy.
pub(crate) async fn run(deployer: &Deployer, run: &Run, app: &App, release: &Release) -> Result<(), Stop> {
    failpoint::at(DeployState::Releasing, "before");
    let row = deployer.store.plan_release_command(run.deploy)?;
    failpoint::at(DeployState::Releasing, "after");
    let command = release.spec.release_command.clone().unwrap_or_default();
    run.log.step(format!("Running the release command: {}", command.join(" ")));
    start::start_one(deployer, app, release, &row).await?;

    let everything = LogsRequest { follow: true, tail: None, timestamps: false };
    let mut lines = deployer.engine.logs(&row.name, everything).await?;
    while let Some(line) = lines.next().await {
        run.log.line(line?.text);
    }
    let exit = deployer.engine.wait_container(&row.name).await?;
    deployer.engine.remove_container(&row.name).await?;
    deployer.store.delete_container(row.id)?;
    if exit.code == 0 {
        return Ok(());
    }
    let why = if exit.out_of_memory { "was killed for using too much memory" } else { "failed" };
    // What became of the old version meanwhile is told by whoever stopped it.
    let old =
        if deployer.store.get_deploy(run.deploy)?.is_holding() { "" } else { "; the old version serves on" };
    Err(Failure::new(format!("the release command {why} (exit code {}){old}", exit.code))
        .hint("its output is above; it ran against the app's real data, so check what it may have changed")
        .into())
}
