//! The fake engine's networks.

use std::net::Ipv4Addr;

use super::{
    FakeEngine,
    state::{self, State},
    things::FakeNetwork,
};
use crate::{
    engine::{ContainerSpec, ContainerState, Labelled, NetworkSpec},
    error::EngineError,
    label, name,
    subnet::Subnet,
};

impl FakeEngine {
    pub(super) fn make_network(&self, spec: &NetworkSpec) -> Result<(), EngineError> {
        let mut spec = spec.clone();
        spec.labels.insert(label::INSTANCE.to_owned(), self.instance_id().to_owned());
        let instance = self.instance_id().to_owned();
        self.change(|state, _| (make(state, spec, &instance), Vec::new()))
    }

    pub(super) fn our_networks(&self) -> Vec<Labelled> {
        let state = self.state();
        let all = state.networks.values().map(|network| &network.spec);
        let ours = all.filter(|spec| state::is_ours(&spec.labels, self.instance_id()));
        ours.map(|spec| Labelled { name: spec.name.clone(), labels: spec.labels.clone() }).collect()
    }

    pub(super) fn delete_network(&self, name: &str) -> Result<(), EngineError> {
        let instance = self.instance_id().to_owned();
        self.change(|state, _| (delete(state, name, &instance), Vec::new()))
    }
}

fn make(state: &mut State, spec: NetworkSpec, instance: &str) -> Result<(), EngineError> {
    name::check(&spec.name)?;
    let subnet: Subnet = spec.subnet.parse().map_err(|message: String| refused(&spec.name, &message))?;
    if let Some(found) = state.networks.get(&spec.name) {
        if !state::is_ours(&found.spec.labels, instance) {
            return Err(EngineError::Foreign(format!("the network {}", spec.name)));
        }
        if found.spec.subnet == spec.subnet {
            return Ok(());
        }
        let message = format!("it exists with the subnet {}, not {}", found.spec.subnet, spec.subnet);
        return Err(refused(&spec.name, &message));
    }
    let overlaps =
        |other: &FakeNetwork| other.spec.subnet.parse().is_ok_and(|other: Subnet| other.overlaps(subnet));
    if state.networks.values().any(overlaps) {
        return Err(refused(&spec.name, "Pool overlaps with other one on this address space"));
    }
    state.networks.insert(spec.name.clone(), FakeNetwork { spec });
    Ok(())
}

fn delete(state: &mut State, name: &str, instance: &str) -> Result<(), EngineError> {
    name::check(name)?;
    let Some(network) = state.networks.get(name) else { return Ok(()) };
    if !state::is_ours(&network.spec.labels, instance) {
        return Err(EngineError::Foreign(format!("the network {name}")));
    }
    let busy =
        state.containers.values().any(|c| c.spec.network == name && c.state == ContainerState::Running);
    if busy {
        return Err(EngineError::Refused {
            action: format!("remove the network {name}"),
            message: format!("network {name} has active endpoints"),
        });
    }
    state.networks.remove(name);
    Ok(())
}

/// The address a container gets when it starts: its fixed one if that is free, or the first free one.
pub(super) fn address(state: &State, spec: &ContainerSpec) -> Result<Ipv4Addr, String> {
    let network =
        state.networks.get(&spec.network).ok_or_else(|| format!("network {} not found", spec.network))?;
    let subnet: Subnet = network.spec.subnet.parse()?;
    let used = |address: Ipv4Addr| {
        state.containers.values().any(|c| c.spec.network == spec.network && c.address == Some(address))
    };
    match spec.address {
        Some(fixed) if !subnet.has_host(fixed) => {
            Err(format!("no subnet of {} contains {fixed}", spec.network))
        }
        Some(fixed) if used(fixed) => Err("Address already in use".to_owned()),
        Some(fixed) => Ok(fixed),
        None => subnet.hosts().find(|host| !used(*host)).ok_or_else(|| "no available addresses".to_owned()),
    }
}

fn refused(name: &str, message: &str) -> EngineError {
    EngineError::Refused { action: format!("make the network {name}"), message: message.to_owned() }
}
