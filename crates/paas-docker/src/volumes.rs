//! Volumes: data that outlives every container.

use bollard::{
    models::{Volume, VolumeCreateRequest},
    query_parameters::{ListVolumesOptionsBuilder, RemoveVolumeOptionsBuilder},
};

use crate::{
    client::DockerEngine,
    engine::{Labelled, VolumeSpec},
    error::EngineError,
    failure::{engine_error, found, status},
    label, name,
};

/// Makes the volume unless it is there.
pub(crate) async fn ensure(engine: &DockerEngine, spec: &VolumeSpec) -> Result<(), EngineError> {
    if is_there(engine, &spec.name).await? {
        return Ok(());
    }
    let request = VolumeCreateRequest {
        name: Some(spec.name.clone()),
        driver: Some("local".to_owned()),
        labels: Some(label::with_instance(&spec.labels, engine.instance_id())),
        ..Default::default()
    };
    let volume = engine
        .docker()?
        .create_volume(request)
        .await
        .map_err(|error| engine_error(format!("make the volume {}", spec.name), error))?;
    // The engine answers with the existing volume when somebody else was quicker.
    owned(engine, &volume)
}

/// Whether one of ours is there; a foreign one of that name is an error.
pub(crate) async fn is_there(engine: &DockerEngine, name: &str) -> Result<bool, EngineError> {
    match inspect(engine, name).await? {
        Some(volume) => owned(engine, &volume).map(|()| true),
        None => Ok(false),
    }
}

/// Names and labels of our volumes.
pub(crate) async fn list(engine: &DockerEngine) -> Result<Vec<Labelled>, EngineError> {
    let options = ListVolumesOptionsBuilder::default().filters(&label::filter(engine.instance_id())).build();
    let answer = engine
        .docker()?
        .list_volumes(Some(options))
        .await
        .map_err(|error| engine_error("list volumes", error))?;
    let volumes = answer.volumes.unwrap_or_default();
    Ok(volumes
        .into_iter()
        .map(|v| Labelled { name: v.name, labels: label::sorted(Some(v.labels)) })
        .collect())
}

/// Removes one of our volumes with its data.
pub(crate) async fn remove(engine: &DockerEngine, name: &str) -> Result<(), EngineError> {
    if !is_there(engine, name).await? {
        return Ok(());
    }
    let options = RemoveVolumeOptionsBuilder::default().force(false).build();
    match engine.docker()?.remove_volume(name, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if status(&error) == Some(404) => Ok(()),
        Err(error) => Err(engine_error(format!("remove the volume {name}"), error)),
    }
}

async fn inspect(engine: &DockerEngine, name: &str) -> Result<Option<Volume>, EngineError> {
    name::check(name)?;
    found("show a volume", engine.docker()?.inspect_volume(name).await)
}

fn owned(engine: &DockerEngine, volume: &Volume) -> Result<(), EngineError> {
    if label::is_ours(Some(&volume.labels), engine.instance_id()) {
        return Ok(());
    }
    Err(EngineError::Foreign(format!("the volume {}", volume.name)))
}
