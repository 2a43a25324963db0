//! An engine in memory with the real one's semantics, for tests of what stands on it.
//!
//! It keeps images, containers, networks and volumes, and behaves as told: a build fails at a step or hangs, a container exits at once, an answer is
//! lost after its effect. Nothing in it depends on time. The crate's contract tests run against it and against the real engine alike.
//!
//! A clone is the same engine: a "restarted" control simply takes another clone.

mod build;
mod containers;
mod endpoints;
mod faults;
mod images;
mod logs;
mod networks;
mod script;
mod state;
mod things;
mod volumes;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use self::{faults::Faults, script::Scripts, state::State};
use crate::engine::{ContainerExit, EngineEvent, LogLine};

pub use self::{
    faults::{FakeCall, FakeCallRecord, FakeHold},
    script::{FakeBehaviour, FakeBuild, FakeImage, FakeWhen},
    things::{FakeBuildRecord, FakeContainer, FakeNetwork, FakeStoredImage, FakeVolume},
};

/// Events an observer may be behind before it is told that it missed some.
const EVENTS: usize = 1024;

/// The engine in memory.
#[derive(Debug, Clone)]
pub struct FakeEngine {
    instance: Arc<str>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    scripts: Mutex<Scripts>,
    faults: Mutex<Faults>,
    /// Counts changes, so that whoever waits looks again.
    changed: watch::Sender<u64>,
    events: broadcast::Sender<EngineEvent>,
}

impl FakeEngine {
    /// An empty engine, seen by that instance.
    pub fn new(instance_id: impl Into<String>) -> Self {
        Self {
            instance: instance_id.into().into(),
            shared: Arc::new(Shared {
                state: Mutex::default(),
                scripts: Mutex::default(),
                faults: Mutex::default(),
                changed: watch::Sender::new(0),
                events: broadcast::Sender::new(EVENTS),
            }),
        }
    }

    /// The instance whose things are ours.
    pub fn instance_id(&self) -> &str {
        &self.instance
    }

    /// The same engine, seen by another instance: what it makes is foreign here.
    #[must_use]
    pub fn seen_by(&self, instance_id: impl Into<String>) -> Self {
        Self { instance: instance_id.into().into(), shared: Arc::clone(&self.shared) }
    }

    /// How matching containers behave from now on. The latest match wins; without one a container runs until it is stopped.
    pub fn script_container(&self, when: FakeWhen, behaviour: FakeBehaviour) {
        lock(&self.shared.scripts).containers.push((when, behaviour));
    }

    /// How matching builds end from now on. The latest match wins; without one a build succeeds with a default image.
    pub fn script_build(&self, when: FakeWhen, build: FakeBuild) {
        lock(&self.shared.scripts).builds.push((when, build));
    }

    /// Ends a running container's process. The restart policy then does what it does in the real engine.
    ///
    /// Returns whether there was such a running container.
    pub fn exit_container(&self, name: &str, exit: ContainerExit) -> bool {
        self.change(|state, scripts| state.exit(name, exit, scripts))
    }

    /// Prints a line in a container. Returns whether there is such a container.
    pub fn print(&self, name: &str, line: LogLine) -> bool {
        self.change(|state, _| (state.print(name, line), Vec::new()))
    }

    /// The engine, or the whole server, restarts: every container ends, and those with a restart policy that nobody stopped run again.
    pub fn restart_engine(&self) {
        self.change(|state, scripts| ((), state.reboot(scripts)));
    }

    /// While down, every call answers `Unavailable` and changes nothing.
    pub fn set_down(&self, down: bool) {
        lock(&self.shared.faults).down = down;
    }

    /// Resolves when the condition holds; looked at again after every change.
    pub async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        while !condition(self) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Changes the state, then tells everybody who waits and sends the events.
    fn change<T>(&self, apply: impl FnOnce(&mut State, &Scripts) -> (T, Vec<EngineEvent>)) -> T {
        let mut state = self.state();
        let (value, events) = apply(&mut state, &lock(&self.shared.scripts));
        // Under the lock: events keep the order of what they tell.
        for event in events {
            // Nobody may be watching.
            let _ = self.shared.events.send(event);
        }
        drop(state);
        self.touch();
        value
    }

    fn touch(&self) {
        self.shared.changed.send_modify(|count| *count += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.shared.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
