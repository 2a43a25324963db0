//! Looking at containers.

use std::{collections::HashMap, net::Ipv4Addr};

use bollard::{
    models::{
        ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, ContainerSummaryStateEnum,
        EndpointSettings,
    },
    query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder},
};

use crate::{
    client::DockerEngine,
    engine::{ContainerExit, ContainerInfo, ContainerState},
    error::EngineError,
    failure::{engine_error, found, protocol},
    label, name,
};

/// The engine's way to say "never started".
const NEVER: &str = "0001-01-01";

/// What a name leads to.
pub(crate) enum Found {
    /// Nothing.
    Absent,
    /// A container we may not touch.
    Foreign,
    /// One of ours.
    Ours(Box<Inspected>),
}

/// One of our containers as the engine shows it.
pub(crate) struct Inspected(ContainerInspectResponse);

impl Found {
    /// Ours or nothing; a foreign one is an error.
    pub(crate) fn ours(self, name: &str) -> Result<Option<Box<Inspected>>, EngineError> {
        match self {
            Self::Ours(container) => Ok(Some(container)),
            Self::Absent => Ok(None),
            Self::Foreign => Err(EngineError::Foreign(format!("the container {name}"))),
        }
    }

    /// Ours, or an error.
    pub(crate) fn required(self, name: &str) -> Result<Box<Inspected>, EngineError> {
        self.ours(name)?.ok_or_else(|| EngineError::NotFound(format!("container {name}")))
    }
}

impl Inspected {
    /// Its id: what follows speaks of this very container, whatever happens to the name.
    pub(crate) fn id(&self) -> Result<&str, EngineError> {
        self.0.id.as_deref().ok_or_else(|| protocol("show a container", "the container has no id"))
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels()?.get(key).map(String::as_str)
    }

    pub(crate) fn is_being_removed(&self) -> bool {
        self.status() == Some(ContainerStateStatusEnum::REMOVING)
    }

    fn labels(&self) -> Option<&label::EngineLabels> {
        self.0.config.as_ref()?.labels.as_ref()
    }

    fn status(&self) -> Option<ContainerStateStatusEnum> {
        self.0.state.as_ref()?.status
    }

    fn info(self, name: &str) -> ContainerInfo {
        let container = self.0;
        let details = container.state.unwrap_or_default();
        let state = state(details.status);
        ContainerInfo {
            name: name.to_owned(),
            state,
            exit: has_ended(state).then(|| ContainerExit {
                code: details.exit_code.unwrap_or(0),
                out_of_memory: details.oom_killed.unwrap_or(false),
            }),
            labels: label::sorted(container.config.and_then(|config| config.labels)),
            address: container.network_settings.and_then(|settings| address(settings.networks.as_ref())),
            pid: details.pid.and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid != 0),
            restart_count: container.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
            started_at: details.started_at.filter(|time| !time.is_empty() && !time.starts_with(NEVER)),
        }
    }
}

/// What the name leads to. The engine also resolves id prefixes; those are not names.
pub(crate) async fn look(engine: &DockerEngine, name: &str) -> Result<Found, EngineError> {
    name::check(name)?;
    let answer = engine.docker()?.inspect_container(name, None::<InspectContainerOptions>).await;
    let Some(container) = found("show a container", answer)? else { return Ok(Found::Absent) };
    if container.name.as_deref().and_then(|found| found.strip_prefix('/')) != Some(name) {
        return Ok(Found::Absent);
    }
    let container = Inspected(container);
    if label::is_ours(container.labels(), engine.instance_id()) {
        Ok(Found::Ours(Box::new(container)))
    } else {
        Ok(Found::Foreign)
    }
}

/// One of our containers; a foreign one of that name is not seen.
pub(crate) async fn find(engine: &DockerEngine, name: &str) -> Result<Option<ContainerInfo>, EngineError> {
    match look(engine, name).await? {
        Found::Ours(container) => Ok(Some(container.info(name))),
        Found::Absent | Found::Foreign => Ok(None),
    }
}

/// Our containers in one call. What the engine says only of one container is left out: `restart_count`, `started_at`, and whether the exit was for
/// memory.
pub(crate) async fn list(engine: &DockerEngine) -> Result<Vec<ContainerInfo>, EngineError> {
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&label::filter(engine.instance_id()))
        .build();
    let containers = engine
        .docker()?
        .list_containers(Some(options))
        .await
        .map_err(|error| engine_error("list containers", error))?;
    Ok(containers.into_iter().filter_map(summary).collect())
}

/// `None` for a container that lost its name: it is half removed.
fn summary(container: ContainerSummary) -> Option<ContainerInfo> {
    let names = container.names.unwrap_or_default();
    let name = names.iter().filter_map(|name| name.strip_prefix('/')).find(|name| !name.contains('/'))?;
    let state = summary_state(container.state);
    let code = container.status.as_deref().and_then(exit_code);
    Some(ContainerInfo {
        name: name.to_owned(),
        state,
        exit: has_ended(state).then(|| ContainerExit { code: code.unwrap_or(0), out_of_memory: false }),
        labels: label::sorted(container.labels),
        address: container.network_settings.and_then(|settings| address(settings.networks.as_ref())),
        pid: None,
        restart_count: 0,
        started_at: None,
    })
}

/// The code in `Exited (137) 3 minutes ago`; lists have it nowhere else.
fn exit_code(status: &str) -> Option<i64> {
    let (_, rest) = status.split_once('(')?;
    rest.split_once(')')?.0.parse().ok()
}

fn address(networks: Option<&HashMap<String, EndpointSettings>>) -> Option<Ipv4Addr> {
    networks?.values().find_map(|endpoint| endpoint.ip_address.as_deref()?.parse().ok())
}

fn has_ended(state: ContainerState) -> bool {
    matches!(state, ContainerState::Restarting | ContainerState::Exited | ContainerState::Dead)
}

fn state(status: Option<ContainerStateStatusEnum>) -> ContainerState {
    use ContainerStateStatusEnum as S;
    match status {
        Some(S::CREATED) => ContainerState::Created,
        Some(S::RUNNING | S::STOPPING) => ContainerState::Running,
        Some(S::PAUSED) => ContainerState::Paused,
        Some(S::RESTARTING) => ContainerState::Restarting,
        Some(S::EXITED) => ContainerState::Exited,
        Some(S::REMOVING | S::DEAD | S::EMPTY) | None => ContainerState::Dead,
    }
}

fn summary_state(status: Option<ContainerSummaryStateEnum>) -> ContainerState {
    use ContainerSummaryStateEnum as S;
    match status {
        Some(S::CREATED) => ContainerState::Created,
        Some(S::RUNNING | S::STOPPING) => ContainerState::Running,
        Some(S::PAUSED) => ContainerState::Paused,
        Some(S::RESTARTING) => ContainerState::Restarting,
        Some(S::EXITED) => ContainerState::Exited,
        Some(S::REMOVING | S::DEAD | S::EMPTY) | None => ContainerState::Dead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_read_from_a_lists_status() {
        assert_eq!(exit_code("Exited (137) 3 minutes ago"), Some(137));
        assert_eq!(exit_code("Restarting (1) Less than a second ago"), Some(1));
        assert_eq!(exit_code("Up 3 minutes (healthy)"), None);
        assert_eq!(exit_code("Created"), None);
    }
}
