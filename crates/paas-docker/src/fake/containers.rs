//! The fake engine's containers.

use super::{
    FakeEngine, networks,
    script::{FakeBehaviour, Scripts},
    state::{self, KILLED, State, TERMINATED},
    things::FakeContainer,
    volumes,
};
use crate::{
    engine::{ContainerExit, ContainerInfo, ContainerSpec, ContainerState, EngineEvent, RestartPolicy},
    error::EngineError,
    label, name,
};

impl FakeEngine {
    pub(super) fn make_container(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        let mut spec = spec.clone();
        spec.labels.insert(label::INSTANCE.to_owned(), self.instance_id().to_owned());
        let instance = self.instance_id().to_owned();
        self.change(|state, _| (make(state, spec, &instance), Vec::new()))
    }

    pub(super) fn run_container(&self, name: &str) -> Result<(), EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, scripts| match start(state, name, &instance, scripts) {
            Ok(events) => (Ok(()), events),
            Err(error) => (Err(error), Vec::new()),
        })
    }

    pub(super) fn halt_container(&self, name: &str) -> Result<(), EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, scripts| match ours(state, name, &instance) {
            Ok(Some(container)) if is_up(container.state) => {
                let ignores =
                    matches!(state.behaviour(container, scripts), FakeBehaviour::IgnoresTerm { .. });
                let code = if ignores { KILLED } else { TERMINATED };
                (Ok(()), state.end(name, ContainerExit { code, out_of_memory: false }))
            }
            other => (other.map(|_| ()), Vec::new()),
        })
    }

    pub(super) fn delete_container(&self, name: &str) -> Result<(), EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, _| match ours(state, name, &instance).map(|found| found.map(|c| c.state)) {
            Ok(Some(found)) => {
                let mut events = Vec::new();
                if is_up(found) {
                    events = state.end(name, ContainerExit { code: KILLED, out_of_memory: false });
                }
                events.extend(
                    state.containers.remove(name).map(|container| state::event(&container, "destroy")),
                );
                (Ok(()), events)
            }
            other => (other.map(|_| ()), Vec::new()),
        })
    }

    /// Resolves when that container (not another of its name) is not running any more. One that was removed meanwhile was killed.
    pub(super) async fn exit_of(&self, name: &str) -> Result<ContainerExit, EngineError> {
        let mut changed = self.shared.changed.subscribe();
        let id = required(&self.state(), name, self.instance_id())?.id;
        loop {
            let current = self.state().containers.get(name).filter(|container| container.id == id).cloned();
            match current {
                None => return Ok(ContainerExit { code: KILLED, out_of_memory: false }),
                Some(container) if container.state != ContainerState::Running => {
                    return Ok(container.exit.unwrap_or(ContainerExit { code: 0, out_of_memory: false }));
                }
                Some(_) => {}
            }
            // The sender lives in `self`.
            let _ = changed.changed().await;
        }
    }

    pub(super) fn change_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, _| {
            let result = required(state, name, &instance).map(|_| ());
            if let (Ok(()), Some(container)) = (&result, state.containers.get_mut(name)) {
                container.restart = policy;
            }
            (result, Vec::new())
        })
    }

    pub(super) fn container_info(&self, name: &str) -> Result<Option<ContainerInfo>, EngineError> {
        name::check(name)?;
        let state = self.state();
        let found = state.containers.get(name);
        Ok(found.filter(|c| state::is_ours(&c.spec.labels, self.instance_id())).map(info))
    }

    /// Without what the real engine says only of one container.
    pub(super) fn our_containers(&self) -> Vec<ContainerInfo> {
        let state = self.state();
        let ours = state.containers.values().filter(|c| state::is_ours(&c.spec.labels, self.instance_id()));
        ours.map(|container| {
            let full = info(container);
            let exit = full.exit.map(|exit| ContainerExit { out_of_memory: false, ..exit });
            ContainerInfo { exit, restart_count: 0, started_at: None, ..full }
        })
        .collect()
    }
}

/// One of ours or nothing; a foreign one of that name is an error.
pub(super) fn ours<'a>(
    state: &'a State,
    name: &str,
    instance: &str,
) -> Result<Option<&'a FakeContainer>, EngineError> {
    name::check(name)?;
    match state.containers.get(name) {
        Some(container) if !state::is_ours(&container.spec.labels, instance) => {
            Err(EngineError::Foreign(format!("the container {name}")))
        }
        found => Ok(found),
    }
}

/// One of ours, or an error.
pub(super) fn required<'a>(
    state: &'a State,
    name: &str,
    instance: &str,
) -> Result<&'a FakeContainer, EngineError> {
    ours(state, name, instance)?.ok_or_else(|| EngineError::NotFound(format!("container {name}")))
}

fn make(state: &mut State, spec: ContainerSpec, instance: &str) -> Result<(), EngineError> {
    name::check(&spec.name)?;
    for (volume, _) in &spec.mounts {
        if !volumes::is_there(state, volume, instance)? {
            return Err(EngineError::NotFound(format!("volume {volume}")));
        }
    }
    if state.image(&spec.image).is_none() {
        return Err(EngineError::NotFound(format!("image {}", spec.image)));
    }
    let Some(found) = ours(state, &spec.name, instance)? else {
        state.plant(spec);
        return Ok(());
    };
    if found.spec.labels.get(label::CONTAINER) == spec.labels.get(label::CONTAINER) {
        return Ok(());
    }
    Err(EngineError::Foreign(format!("the container {}", spec.name)))
}

fn start(
    state: &mut State,
    name: &str,
    instance: &str,
    scripts: &Scripts,
) -> Result<Vec<EngineEvent>, EngineError> {
    let container = required(state, name, instance)?.clone();
    if container.state == ContainerState::Running {
        return Ok(Vec::new());
    }
    let refused = |message| EngineError::Refused { action: format!("start the container {name}"), message };
    if let FakeBehaviour::CannotStart { message } = state.behaviour(&container, scripts) {
        return Err(refused(message));
    }
    networks::address(state, &container.spec).map_err(refused)?;
    Ok(state.run(name, scripts))
}

fn info(container: &FakeContainer) -> ContainerInfo {
    ContainerInfo {
        name: container.spec.name.clone(),
        state: container.state,
        exit: container.exit,
        labels: container.spec.labels.clone(),
        address: container.address,
        pid: None,
        restart_count: container.restart_count,
        started_at: container.started_at.clone(),
    }
}

fn is_up(state: ContainerState) -> bool {
    matches!(state, ContainerState::Running | ContainerState::Restarting)
}
