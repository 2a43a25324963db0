//! Starting, stopping, waiting for and removing containers.

use std::time::Duration;

use bollard::{
    errors::Error,
    models::{ContainerInspectResponse, ContainerUpdateBody},
    query_parameters::{
        InspectContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions,
        StopContainerOptionsBuilder, WaitContainerOptionsBuilder,
    },
};
use futures_util::StreamExt;

use super::{hardening, look};
use crate::{
    client::DockerEngine,
    engine::{ContainerExit, RestartPolicy},
    error::EngineError,
    failure::{engine_error, protocol, status},
};

/// How long a removal is waited for before the container is looked for. The engine (20.10) never answers who begins to wait just as it has told the
/// others that the container is gone.
const FORGOTTEN: Duration = Duration::from_secs(1);

/// Starts it; already running is success.
pub(crate) async fn start(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    let container = look(engine, name).await?.required(name)?;
    let result = engine.docker()?.start_container(container.id()?, None::<StartContainerOptions>).await;
    result.map_err(|error| engine_error(format!("start the container {name}"), error))
}

/// SIGTERM, then SIGKILL after the grace, which the engine counts in whole seconds (rounded up here).
pub(crate) async fn stop(engine: &DockerEngine, name: &str, grace: Duration) -> Result<(), EngineError> {
    let Some(container) = look(engine, name).await?.ours(name)? else { return Ok(()) };
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    let options =
        StopContainerOptionsBuilder::default().t(i32::try_from(seconds).unwrap_or(i32::MAX)).build();
    match engine.docker()?.stop_container(container.id()?, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) => Err(engine_error(format!("stop the container {name}"), error)),
    }
}

/// Kills and removes it and its anonymous volumes; named volumes stay, whatever they hold.
pub(crate) async fn remove(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    let Some(container) = look(engine, name).await?.ours(name)? else { return Ok(()) };
    let id = container.id()?;
    // `v` takes only the volumes that an image's VOLUME made for this container alone.
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match engine.docker()?.remove_container(id, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(Error::DockerResponseServerError { status_code: 409, message })
            if message.contains("in progress") =>
        {
            wait_removed(engine, id).await
        }
        Err(error) => Err(engine_error(format!("remove the container {name}"), error)),
    }
}

/// Resolves when the container is not running any more.
pub(crate) async fn wait(engine: &DockerEngine, name: &str) -> Result<ContainerExit, EngineError> {
    let container = look(engine, name).await?.required(name)?;
    let id = container.id()?;
    let Some(code) = wait_for(engine, id, "not-running").await? else {
        return Err(EngineError::NotFound(format!("container {name}")));
    };
    Ok(ContainerExit { code, out_of_memory: was_out_of_memory(engine, id).await? })
}

/// Resolves when the container is gone.
pub(super) async fn wait_removed(engine: &DockerEngine, id: &str) -> Result<(), EngineError> {
    loop {
        match tokio::time::timeout(FORGOTTEN, wait_for(engine, id, "removed")).await {
            Ok(waited) => return waited.map(|_| ()),
            Err(_) if shown(engine, id).await?.is_none() => return Ok(()),
            Err(_) => {}
        }
    }
}

/// Changes what the engine does when the main process ends.
pub(crate) async fn set_restart_policy(
    engine: &DockerEngine,
    name: &str,
    policy: RestartPolicy,
) -> Result<(), EngineError> {
    let container = look(engine, name).await?.required(name)?;
    let body =
        ContainerUpdateBody { restart_policy: Some(hardening::restart_policy(policy)), ..Default::default() };
    let result = engine.docker()?.update_container(container.id()?, body).await;
    result.map_err(|error| engine_error(format!("change the restart policy of {name}"), error))
}

/// The exit code once the condition holds; `None` when there is no such container.
async fn wait_for(engine: &DockerEngine, id: &str, condition: &str) -> Result<Option<i64>, EngineError> {
    let options = WaitContainerOptionsBuilder::default().condition(condition).build();
    let mut answers = engine.docker()?.wait_container(id, Some(options));
    let action = "wait for a container";
    match answers.next().await {
        Some(Ok(answer)) => Ok(Some(answer.status_code)),
        // The client library calls an exit code other than 0 an error.
        Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(Some(code)),
        Some(Err(error)) if status(&error) == Some(404) => Ok(None),
        Some(Err(error)) => Err(engine_error(action, error)),
        None => Err(protocol(action, "the engine closed the connection before the container ended")),
    }
}

/// `wait` says only the code. A container that is gone by now was removed, not out of memory.
async fn was_out_of_memory(engine: &DockerEngine, id: &str) -> Result<bool, EngineError> {
    let state = shown(engine, id).await?.and_then(|container| container.state);
    Ok(state.and_then(|state| state.oom_killed).unwrap_or(false))
}

/// `None` when there is no such container.
async fn shown(engine: &DockerEngine, id: &str) -> Result<Option<ContainerInspectResponse>, EngineError> {
    match engine.docker()?.inspect_container(id, None::<InspectContainerOptions>).await {
        Ok(container) => Ok(Some(container)),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(engine_error("show a container", error)),
    }
}
