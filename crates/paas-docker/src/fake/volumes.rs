//! The fake engine's volumes.

use super::{
    FakeEngine,
    state::{self, State},
    things::FakeVolume,
};
use crate::{
    engine::{Labelled, VolumeSpec},
    error::EngineError,
    label, name,
};

impl FakeEngine {
    pub(super) fn make_volume(&self, spec: &VolumeSpec) -> Result<(), EngineError> {
        let mut spec = spec.clone();
        spec.labels.insert(label::INSTANCE.to_owned(), self.instance_id().to_owned());
        let instance = self.instance_id().to_owned();
        self.change(|state, _| (make(state, spec, &instance), Vec::new()))
    }

    pub(super) fn our_volumes(&self) -> Vec<Labelled> {
        let state = self.state();
        let all = state.volumes.values().map(|volume| &volume.spec);
        let ours = all.filter(|spec| state::is_ours(&spec.labels, self.instance_id()));
        ours.map(|spec| Labelled { name: spec.name.clone(), labels: spec.labels.clone() }).collect()
    }

    pub(super) fn delete_volume(&self, name: &str) -> Result<(), EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, _| (delete(state, name, &instance), Vec::new()))
    }
}

/// Whether one of ours is there; a foreign one of that name is an error.
pub(super) fn is_there(state: &State, name: &str, instance: &str) -> Result<bool, EngineError> {
    match state.volumes.get(name) {
        None => Ok(false),
        Some(volume) if state::is_ours(&volume.spec.labels, instance) => Ok(true),
        Some(_) => Err(EngineError::Foreign(format!("the volume {name}"))),
    }
}

fn make(state: &mut State, spec: VolumeSpec, instance: &str) -> Result<(), EngineError> {
    name::check(&spec.name)?;
    if !is_there(state, &spec.name, instance)? {
        let id = state.next_id();
        state.volumes.insert(spec.name.clone(), FakeVolume { id, spec });
    }
    Ok(())
}

fn delete(state: &mut State, name: &str, instance: &str) -> Result<(), EngineError> {
    name::check(name)?;
    if !is_there(state, name, instance)? {
        return Ok(());
    }
    let user = state.containers.values().find(|c| c.spec.mounts.iter().any(|(volume, _)| volume == name));
    if let Some(user) = user {
        return Err(EngineError::Refused {
            action: format!("remove the volume {name}"),
            message: format!("volume is in use - [{}]", user.id),
        });
    }
    state.volumes.remove(name);
    Ok(())
}
