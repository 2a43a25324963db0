use futures_util::future::try_join_all;
use paas_docker::RestartPolicy;
use paas_domain::{DeployState, ProcessType, ReleaseSpec};
use paas_store::{App, ContainerRow, Release, Setting};

use crate::{
    deployer::Deployer,
    environment::{container_spec, process_name},
    failpoint,
    failure::{Failure, Stop, chain},
    names,
    run::Run,
};

/// The network and the volumes: made once, kept for the app's life.
pub(crate) async fn ensure_surroundings(
    deployer: &Deployer,
    app: &App,
    spec: &ReleaseSpec,
) -> Result<(), Stop> {
    let instance = deployer.store.instance_label();
    for mount in &spec.mounts {
        deployer.store.ensure_volume(&mount.volume)?;
    }
    let network = names::network_spec(instance, app);
    let volumes: Vec<_> =
        spec.mounts.iter().map(|mount| names::volume_spec(instance, &mount.volume)).collect();
    let network = deployer.engine.ensure_network(&network);
    let volumes = try_join_all(volumes.iter().map(|volume| deployer.engine.ensure_volume(volume)));
    futures_util::future::try_join(network, volumes).await?;
    Ok(())
}

/// Creates and starts every container of the release beside the old ones, all at once.
pub(crate) async fn start(
    deployer: &Deployer,
    run: &Run,
    app: &App,
    release: &Release,
    counts: &[(ProcessType, u16)],
) -> Result<Vec<ContainerRow>, Stop> {
    failpoint::at(DeployState::Starting, "before");
    let rows = deployer.store.plan_containers(run.deploy, counts)?;
    failpoint::at(DeployState::Starting, "after");
    let names: Vec<String> = rows.iter().map(process_name).collect();
    run.log.step(format!("Starting {}", names.join(", ")));
    try_join_all(rows.iter().map(|row| start_one(deployer, app, release, row))).await?;
    Ok(rows)
}

/// Creates and starts the container of one row; both may have happened already. Nobody starts it again when it ends: the deploy watches it.
pub(crate) async fn start_one(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
) -> Result<(), Stop> {
    start_under(deployer, app, release, row, None).await
}

/// The same for a container that is to stay: the engine keeps it alive from its start.
pub(crate) async fn start_to_stay(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
) -> Result<(), Stop> {
    start_under(deployer, app, release, row, Some(RestartPolicy::UnlessStopped)).await
}

async fn start_under(
    deployer: &Deployer,
    app: &App,
    release: &Release,
    row: &ContainerRow,
    policy: Option<RestartPolicy>,
) -> Result<(), Stop> {
    let memory = memory_limit(deployer, app)?;
    let instance = deployer.store.instance_label();
    let spec = container_spec(instance, app, release.version, &release.spec, row, memory);
    let refused = |error| {
        let shown = chain(&error);
        let mut failure = Failure::new(format!("{} could not be started: {shown}", process_name(row)));
        // Engines differ in the capital letter.
        let lower = shown.to_lowercase();
        if lower.contains("no command specified") || lower.contains("executable file not found") {
            failure = failure.hint("give the image a CMD, or name the command in a Procfile: `web: …`");
        }
        Stop::from(failure)
    };
    deployer.engine.create_container(&spec).await.map_err(refused)?;
    if let Some(policy) = policy {
        deployer.engine.set_restart_policy(&row.name, policy).await?;
    }
    deployer.engine.start_container(&row.name).await.map_err(refused)
}

/// The app's memory limit in bytes, if it has one.
pub(crate) fn memory_limit(deployer: &Deployer, app: &App) -> Result<Option<u64>, Stop> {
    let settings = deployer.store.settings(app.id)?;
    Ok(settings.get(&Setting::MemoryLimit).and_then(|text| text.parse().ok()))
}
