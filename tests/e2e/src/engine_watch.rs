//! Which containers ran at one time, by the engine's own word.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::background::Background;
use crate::engine::Engine;
use crate::wait::eventually;

/// The label that names the deploy a container belongs to.
const DEPLOY_LABEL: &str = "dev.paas.deploy";
const DEADLINE: Duration = Duration::from_secs(20);

/// Follows the engine's events about an instance's containers.
#[derive(Debug)]
pub struct EngineWatch {
    engine: Engine,
    label: String,
    /// What ran when it began: container and deploy.
    before: BTreeMap<String, String>,
    events: Background,
}

/// What happened meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// Of how many deploys containers ran at one time, at most.
    pub deploys_at_once: usize,
    /// How many containers were started.
    pub started: usize,
}

impl EngineWatch {
    pub(crate) fn start(engine: &Engine, label: &str) -> Self {
        let format =
            format!("{{{{.Action}}}} {{{{.ID}}}} {{{{index .Actor.Attributes \"{DEPLOY_LABEL}\"}}}}");
        let of_ours = ["--filter", label, "--filter", "type=container"];
        let kinds = ["--filter", "event=start", "--filter", "event=die"];
        // From a moment before the list is made: what it has seen already changes nothing.
        let since = format!("{:.3}", seconds_since_1970());
        let begin = ["events", "--since", &since, "--format", &format];
        let args: Vec<_> = begin.into_iter().chain(of_ours).chain(kinds).collect();
        let events = engine.docker_in_background(&args);
        let before = running(engine, label);
        Self { engine: engine.clone(), label: label.to_owned(), before, events }
    }

    /// Waits until the events have told everything that is so now, and ends.
    pub fn end(self) -> Watched {
        eventually("the engine's events tell what runs", DEADLINE, || {
            let (now, (alive, watched)) = (running(&self.engine, &self.label), self.replayed());
            if alive == now { Ok(watched) } else { Err(format!("{now:?} run, events say {alive:?}")) }
        })
    }

    fn replayed(&self) -> (BTreeMap<String, String>, Watched) {
        let mut alive = self.before.clone();
        let mut watched = Watched { deploys_at_once: deploys(&alive), started: 0 };
        for event in self.events.printed().lines() {
            let words: Vec<_> = event.split(' ').collect();
            let [action, id, deploy] = words[..] else { panic!("not an event as it was asked for: {event}") };
            if action == "start" {
                alive.insert(id.to_owned(), deploy.to_owned());
                watched.started += 1;
            } else {
                alive.remove(id);
            }
            watched.deploys_at_once = watched.deploys_at_once.max(deploys(&alive));
        }
        (alive, watched)
    }
}

fn deploys(alive: &BTreeMap<String, String>) -> usize {
    alive.values().collect::<BTreeSet<_>>().len()
}

fn running(engine: &Engine, label: &str) -> BTreeMap<String, String> {
    let format = format!("{{{{.ID}}}} {{{{.Label \"{DEPLOY_LABEL}\"}}}}");
    let lines = engine.lines(&["ps", "--no-trunc", "--filter", label, "--format", &format]);
    lines
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(id, deploy)| (id.to_owned(), deploy.to_owned()))
        .collect()
}

fn seconds_since_1970() -> f64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a clock that is right").as_secs_f64()
}
