//! The fake engine's memory and what happens to containers in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    networks,
    script::{FakeBehaviour, FakeImage, Scripts, Subject},
    things::{FakeBuildRecord, FakeContainer, FakeNetwork, FakeStoredImage, FakeVolume},
};
use crate::{
    engine::{ContainerExit, ContainerSpec, ContainerState, EngineEvent, ImageId, LogLine, RestartPolicy},
    label,
};

/// 128 + SIGKILL.
pub(super) const KILLED: i64 = 137;
/// 128 + SIGTERM.
pub(super) const TERMINATED: i64 = 143;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) containers: BTreeMap<String, FakeContainer>,
    pub(super) images: BTreeMap<ImageId, FakeStoredImage>,
    pub(super) networks: BTreeMap<String, FakeNetwork>,
    pub(super) volumes: BTreeMap<String, FakeVolume>,
    pub(super) builds: Vec<FakeBuildRecord>,
    pub(super) running_builds: usize,
    ids: u64,
    ticks: u64,
}

/// Whether these labels say "made by this instance".
pub(super) fn is_ours(labels: &BTreeMap<String, String>, instance: &str) -> bool {
    labels.get(label::INSTANCE).is_some_and(|found| found == instance)
}

impl State {
    pub(super) fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// A time that only goes forward and is the same in every run.
    fn now(&mut self) -> String {
        self.ticks += 1;
        format!(
            "2026-01-01T{:02}:{:02}:{:02}Z",
            self.ticks / 3600 % 24,
            self.ticks / 60 % 60,
            self.ticks % 60
        )
    }

    /// The image of that tag, id, or beginning of an id.
    pub(super) fn image(&self, reference: &str) -> Option<&FakeStoredImage> {
        let by_tag = self.images.values().find(|image| image.tags.contains(reference));
        by_tag.or_else(|| self.images.values().find(|image| names_id(reference, &image.id)))
    }

    pub(super) fn store_image(&mut self, id: ImageId, labels: BTreeMap<String, String>, image: FakeImage) {
        let stored = FakeStoredImage { id: id.clone(), tags: BTreeSet::default(), labels, image };
        self.images.entry(id).or_insert(stored);
    }

    /// Moves a tag to an image.
    pub(super) fn tag(&mut self, tag: &str, id: &ImageId) {
        for image in self.images.values_mut() {
            image.tags.remove(tag);
        }
        if let Some(image) = self.images.get_mut(id) {
            image.tags.insert(tag.to_owned());
        }
    }

    /// Puts a container there, stopped.
    pub(super) fn plant(&mut self, spec: ContainerSpec) {
        let image =
            self.image(&spec.image).map_or_else(|| ImageId(spec.image.clone()), |image| image.id.clone());
        let container = FakeContainer {
            id: self.next_id(),
            image,
            state: ContainerState::Created,
            exit: None,
            restart: spec.restart,
            restart_count: 0,
            address: None,
            started_at: None,
            log: Vec::new(),
            spec,
        };
        self.containers.insert(container.spec.name.clone(), container);
    }

    pub(super) fn print(&mut self, name: &str, line: LogLine) -> bool {
        let timestamp = Some(self.now());
        let Some(container) = self.containers.get_mut(name) else { return false };
        container.log.push(LogLine { timestamp, ..line });
        true
    }

    pub(super) fn behaviour(&self, container: &FakeContainer, scripts: &Scripts) -> FakeBehaviour {
        let tags = self.images.get(&container.image).map(|image| &image.tags);
        let mut images = vec![container.spec.image.as_str(), container.image.0.as_str()];
        images.extend(tags.into_iter().flatten().map(String::as_str));
        scripts.behaviour(&Subject {
            images,
            container: Some(&container.spec.name),
            dockerfile: None,
            labels: &container.spec.labels,
        })
    }

    /// Runs a container's process; it may end at once.
    pub(super) fn run(&mut self, name: &str, scripts: &Scripts) -> Vec<EngineEvent> {
        let started = self.now();
        let address =
            self.containers.get(name).and_then(|container| networks::address(self, &container.spec).ok());
        let Some(container) = self.containers.get_mut(name) else { return Vec::new() };
        container.state = ContainerState::Running;
        container.exit = None;
        container.address = address;
        container.started_at = Some(started);
        let mut events = vec![event(container, "start")];
        let container = container.clone();
        match self.behaviour(&container, scripts) {
            FakeBehaviour::Runs { log } | FakeBehaviour::IgnoresTerm { log } => self.print_all(name, log),
            FakeBehaviour::Exits { code, out_of_memory, log } => {
                self.print_all(name, log);
                events.extend(self.end(name, ContainerExit { code, out_of_memory }));
                self.back_off(name);
            }
            FakeBehaviour::CannotStart { .. } => {}
        }
        events
    }

    /// The process of a running container ends, and the restart policy acts.
    pub(super) fn exit(
        &mut self,
        name: &str,
        exit: ContainerExit,
        scripts: &Scripts,
    ) -> (bool, Vec<EngineEvent>) {
        let Some(container) = self.containers.get(name).filter(|c| c.state == ContainerState::Running) else {
            return (false, Vec::new());
        };
        let restarts = container.restart == RestartPolicy::UnlessStopped;
        let mut events = self.end(name, exit);
        if restarts {
            if let Some(container) = self.containers.get_mut(name) {
                container.restart_count += 1;
            }
            events.extend(self.run(name, scripts));
        }
        (true, events)
    }

    /// The process of a running container ends, and that is that.
    pub(super) fn end(&mut self, name: &str, exit: ContainerExit) -> Vec<EngineEvent> {
        let Some(container) = self.containers.get_mut(name) else { return Vec::new() };
        container.state = ContainerState::Exited;
        container.exit = Some(exit);
        container.address = None;
        let actions: &[&str] = if exit.out_of_memory { &["oom", "die"] } else { &["die"] };
        actions.iter().map(|action| event(container, action)).collect()
    }

    /// Everything ends; what should run again does.
    pub(super) fn reboot(&mut self, scripts: &Scripts) -> Vec<EngineEvent> {
        let was_up = |state| matches!(state, ContainerState::Running | ContainerState::Restarting);
        let running: Vec<String> =
            self.containers.values().filter(|c| was_up(c.state)).map(|c| c.spec.name.clone()).collect();
        let mut events = Vec::new();
        for name in running {
            events.extend(self.end(&name, ContainerExit { code: KILLED, out_of_memory: false }));
            let restarts =
                self.containers.get(&name).is_some_and(|c| c.restart == RestartPolicy::UnlessStopped);
            if restarts {
                events.extend(self.run(&name, scripts));
            }
        }
        events
    }

    /// A process that ends as soon as it starts would be restarted for ever, ever more slowly; without time it stays where the engine waits.
    fn back_off(&mut self, name: &str) {
        if let Some(container) = self.containers.get_mut(name)
            && container.restart == RestartPolicy::UnlessStopped
        {
            container.state = ContainerState::Restarting;
            container.restart_count += 1;
        }
    }

    fn print_all(&mut self, name: &str, log: Vec<String>) {
        for text in log {
            self.print(name, LogLine { stderr: false, timestamp: None, text });
        }
    }
}

/// Whether a reference is the id or begins as it does.
pub(super) fn names_id(reference: &str, id: &ImageId) -> bool {
    let hex = id.0.strip_prefix("sha256:").unwrap_or(&id.0);
    let given = reference.strip_prefix("sha256:").unwrap_or(reference);
    given.len() >= 12 && hex.starts_with(given)
}

pub(super) fn event(container: &FakeContainer, action: &str) -> EngineEvent {
    EngineEvent {
        action: action.to_owned(),
        container: container.spec.name.clone(),
        labels: container.spec.labels.clone(),
    }
}
