//! What the fake engine holds, as tests look at it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use super::{FakeEngine, script::FakeImage};
use crate::engine::{
    ContainerExit, ContainerSpec, ContainerState, ImageId, LogLine, NetworkSpec, RestartPolicy, VolumeSpec,
};

/// A container of the fake engine.
#[derive(Debug, Clone)]
pub struct FakeContainer {
    /// The engine's id: another container of the same name has another.
    pub id: u64,
    /// What it was made from. The labels include the instance's.
    pub spec: ContainerSpec,
    /// The image it was made from.
    pub image: ImageId,
    /// Where it stands.
    pub state: ContainerState,
    /// How it ended last.
    pub exit: Option<ContainerExit>,
    /// The policy now; `spec.restart` is the one at creation.
    pub restart: RestartPolicy,
    /// How often the engine restarted it.
    pub restart_count: u64,
    /// Its address while running.
    pub address: Option<Ipv4Addr>,
    /// A made-up start time, later for what starts later.
    pub started_at: Option<String>,
    /// What it printed, each line with a made-up time.
    pub log: Vec<LogLine>,
}

/// A network of the fake engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeNetwork {
    /// What it was made from, with the instance label if it is ours.
    pub spec: NetworkSpec,
}

/// A volume of the fake engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeVolume {
    /// The engine's id: another volume of the same name has another, that is, other data.
    pub id: u64,
    /// What it was made from, with the instance label if it is ours.
    pub spec: VolumeSpec,
}

/// An image of the fake engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeStoredImage {
    /// Its id.
    pub id: ImageId,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The rest.
    pub image: FakeImage,
}

/// A build the fake engine was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeBuildRecord {
    /// The tag asked for.
    pub tag: String,
    /// The Dockerfile's path.
    pub dockerfile: String,
    /// Labels as sent.
    pub labels: BTreeMap<String, String>,
    /// Build args.
    pub args: BTreeMap<String, String>,
    /// Names of the secrets; never their values.
    pub secret_ids: BTreeSet<String>,
    /// How long the context was.
    pub context_bytes: u64,
}

/// For assertions: everything there is, ours or not.
impl FakeEngine {
    /// All containers, by name.
    pub fn containers(&self) -> Vec<FakeContainer> {
        self.state().containers.values().cloned().collect()
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<FakeContainer> {
        self.state().containers.get(name).cloned()
    }

    /// All images, by id.
    pub fn images(&self) -> Vec<FakeStoredImage> {
        self.state().images.values().cloned().collect()
    }

    /// All networks, by name.
    pub fn networks(&self) -> Vec<FakeNetwork> {
        self.state().networks.values().cloned().collect()
    }

    /// All volumes, by name.
    pub fn volumes(&self) -> Vec<FakeVolume> {
        self.state().volumes.values().cloned().collect()
    }

    /// Every build asked for whose context arrived, in order.
    pub fn builds(&self) -> Vec<FakeBuildRecord> {
        self.state().builds.clone()
    }

    /// How many builds are running now.
    pub fn running_builds(&self) -> usize {
        self.state().running_builds
    }
}

/// For set-up: things somebody else, or an earlier life, has made. Labels are taken as they are.
impl FakeEngine {
    /// Puts a container there, stopped and never started. Its image need not exist.
    pub fn plant_container(&self, spec: ContainerSpec) {
        self.change(|state, _| (state.plant(spec), Vec::new()));
    }

    /// Puts an image there under a tag.
    pub fn plant_image(&self, tag: &str, labels: BTreeMap<String, String>, image: FakeImage) -> ImageId {
        let id = super::images::id_of(&(tag, &labels, &image));
        self.change(|state, _| {
            state.store_image(id.clone(), labels, image);
            state.tag(tag, &id);
            (id, Vec::new())
        })
    }

    /// Puts a network there.
    pub fn plant_network(&self, spec: NetworkSpec) {
        self.change(|state, _| (state.networks.insert(spec.name.clone(), FakeNetwork { spec }), Vec::new()));
    }

    /// Puts a volume there.
    pub fn plant_volume(&self, spec: VolumeSpec) {
        self.change(|state, _| {
            let id = state.next_id();
            (state.volumes.insert(spec.name.clone(), FakeVolume { id, spec }), Vec::new())
        });
    }
}
