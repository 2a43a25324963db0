//! Creating a container, or adopting the one a lost answer left behind.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bollard::{
    models::{
        ContainerCreateBody, EndpointIpamConfig, EndpointSettings, Mount, MountType, MountVolumeOptions,
        NetworkingConfig,
    },
    query_parameters::CreateContainerOptionsBuilder,
};
use futures_util::StreamExt;

use super::{Found, hardening, lifecycle, look};
use crate::{
    client::DockerEngine,
    engine::ContainerSpec,
    error::EngineError,
    events,
    failure::{engine_error, status},
    label, name, volumes,
};

/// How often a name that is taken and then free is tried again. Each turn waits for what has it, so more than two are rare.
const ATTEMPTS: usize = 40;

/// How long to wait for news of a name that is taken by nothing visible: a creation that goes on in the engine after its caller is gone. If it fails
/// there is no news, so this is not for ever.
const NEWS: Duration = Duration::from_millis(250);

/// What stood in the way of a name.
enum Holder {
    /// It is the container we want.
    Wanted,
    /// It is gone now.
    Gone,
    /// It is not to be seen: just created, or just removed.
    Unseen,
    /// It is something else.
    Other,
}

/// Creates it, stopped; adopts it if it is there and for the same row.
pub(crate) async fn create(engine: &DockerEngine, spec: &ContainerSpec) -> Result<(), EngineError> {
    name::check(&spec.name)?;
    // The engine would silently make a missing volume, without our labels.
    for (volume, _) in &spec.mounts {
        if !volumes::is_there(engine, volume).await? {
            return Err(EngineError::NotFound(format!("volume {volume}")));
        }
    }
    let body = body(engine, spec);
    for _ in 0..ATTEMPTS {
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        match engine.docker()?.create_container(Some(options), body.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if status(&error) == Some(404) => {
                return Err(EngineError::NotFound(format!("image {}", spec.image)));
            }
            Err(error) if status(&error) == Some(409) => {
                let mut news = events::watch_name(engine, &spec.name).await?;
                match holder(engine, spec).await? {
                    Holder::Wanted => return Ok(()),
                    Holder::Gone => {}
                    Holder::Unseen => {
                        let _ = tokio::time::timeout(NEWS, news.next()).await;
                    }
                    Holder::Other => {
                        return Err(EngineError::Foreign(format!("the container {}", spec.name)));
                    }
                }
            }
            Err(error) => return Err(engine_error(action(spec), error)),
        }
    }
    Err(EngineError::Refused { action: action(spec), message: "its name is never free".to_owned() })
}

/// Looks at who has the name. One that is being removed is waited for.
async fn holder(engine: &DockerEngine, spec: &ContainerSpec) -> Result<Holder, EngineError> {
    let container = match look(engine, &spec.name).await? {
        Found::Absent => return Ok(Holder::Unseen),
        Found::Foreign => return Ok(Holder::Other),
        Found::Ours(container) => container,
    };
    if container.is_being_removed() {
        lifecycle::wait_removed(engine, container.id()?).await?;
        return Ok(Holder::Gone);
    }
    let same = container.label(label::CONTAINER) == spec.labels.get(label::CONTAINER).map(String::as_str);
    Ok(if same { Holder::Wanted } else { Holder::Other })
}

fn body(engine: &DockerEngine, spec: &ContainerSpec) -> ContainerCreateBody {
    let mut host = hardening::host_config(spec.restart, spec.memory_bytes);
    host.network_mode = Some(spec.network.clone());
    host.mounts = Some(spec.mounts.iter().map(|(volume, path)| mount(engine, volume, path)).collect());
    ContainerCreateBody {
        hostname: Some(spec.hostname.clone()),
        image: Some(spec.image.clone()),
        cmd: spec.command.clone(),
        // The engine is where the values are meant to go.
        env: Some(spec.env.iter().map(|(key, value)| format!("{key}={}", value.expose())).collect()),
        labels: Some(label::with_instance(&spec.labels, engine.instance_id())),
        stop_timeout: Some(hardening::STOP_TIMEOUT_SECONDS),
        host_config: Some(host),
        networking_config: Some(networking(spec)),
        ..Default::default()
    }
}

fn mount(engine: &DockerEngine, volume: &str, path: &str) -> Mount {
    Mount {
        target: Some(path.to_owned()),
        source: Some(volume.to_owned()),
        typ: Some(MountType::VOLUME),
        read_only: Some(false),
        volume_options: Some(MountVolumeOptions {
            // Should it be removed between our look and now, what the engine makes instead is at least ours.
            labels: Some(label::with_instance(&BTreeMap::new(), engine.instance_id())),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn networking(spec: &ContainerSpec) -> NetworkingConfig {
    let endpoint = EndpointSettings {
        ipam_config: spec.address.map(|address| EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..Default::default()
        }),
        aliases: (!spec.aliases.is_empty()).then(|| spec.aliases.clone()),
        ..Default::default()
    };
    NetworkingConfig { endpoints_config: Some(HashMap::from([(spec.network.clone(), endpoint)])) }
}

fn action(spec: &ContainerSpec) -> String {
    format!("create the container {}", spec.name)
}
