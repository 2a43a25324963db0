use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use paas_domain::{AppId, ContainerId, DeployEvent, DeployId, Outcome, Strategy};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::log::DeployLog;

/// A deploy while a task of this process drives it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) deploy: DeployId,
    pub(crate) app: AppId,
    /// The push that asked for it, if one did.
    pub(crate) push: Option<String>,
    pub(crate) log: Arc<DeployLog>,
    pub(crate) began: Instant,
    /// Rung when git has moved the branch (post-receive), or when nobody waits for that any more.
    pub(crate) received: Notify,
    gate: Mutex<Gate>,
    stopped: CancellationToken,
    held: Mutex<Option<Held>>,
    stops: Mutex<Stops>,
}

/// Which of the old version's containers the engine may have been asked to stop for a deploy.
#[derive(Debug)]
enum Stops {
    /// These.
    Known(BTreeSet<ContainerId>),
    /// Nobody knows what an earlier life of control asked for.
    Unknown,
}

/// Requests that are kept from the app's containers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    pub(crate) since: Instant,
    pub(crate) strategy: Strategy,
    /// How long one request waits at most.
    pub(crate) limit: Option<Duration>,
}

impl Held {
    /// From now on; `limit` in milliseconds.
    pub(crate) fn begin(strategy: Strategy, limit: Option<u64>) -> Self {
        Self { since: Instant::now(), strategy, limit: limit.map(Duration::from_millis) }
    }
}

/// The point of no return. A deploy passes it once, or was stopped before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Stopped(Outcome),
    Passed,
}

impl Run {
    pub(crate) fn new(deploy: DeployId, app: AppId, push: Option<String>) -> Self {
        let run = Self {
            deploy,
            app,
            push,
            log: Arc::new(DeployLog::new()),
            began: Instant::now(),
            received: Notify::new(),
            gate: Mutex::new(Gate::Open),
            stopped: CancellationToken::new(),
            held: Mutex::default(),
            stops: Mutex::new(Stops::Known(BTreeSet::new())),
        };
        run.log.tell(DeployEvent::Accepted { deploy });
        run
    }

    /// Asks the deploy to end with this outcome. False when it has switched: then it completes.
    pub(crate) fn stop(&self, outcome: Outcome) -> bool {
        let mut gate = self.lock();
        match *gate {
            Gate::Passed => false,
            Gate::Stopped(_) => true,
            Gate::Open => {
                *gate = Gate::Stopped(outcome);
                self.stopped.cancel();
                true
            }
        }
    }

    /// Passes the point of no return, running `commit` (the row that says so) inside it, unless the deploy was stopped before.
    pub(crate) fn pass<E>(&self, commit: impl FnOnce() -> Result<(), E>) -> Result<Result<(), E>, Outcome> {
        let mut gate = self.lock();
        match *gate {
            Gate::Stopped(outcome) => Err(outcome),
            Gate::Passed => Ok(Ok(())),
            Gate::Open => {
                let committed = commit();
                if committed.is_ok() {
                    *gate = Gate::Passed;
                }
                Ok(committed)
            }
        }
    }

    /// Resolves, with the outcome asked for, when the deploy is to stop.
    pub(crate) async fn until_stopped(&self) -> Outcome {
        self.stopped.cancelled().await;
        match *self.lock() {
            Gate::Stopped(outcome) => outcome,
            Gate::Open | Gate::Passed => Outcome::Cancelled,
        }
    }

    /// Requests are held from now on.
    pub(crate) fn hold(&self, held: Held) {
        *self.held() = Some(held);
    }

    /// The hold, once, when it is over.
    pub(crate) fn take_held(&self) -> Option<Held> {
        self.held().take()
    }

    /// The engine is about to be asked to stop a container of the old version.
    pub(crate) fn note_stop(&self, container: ContainerId) {
        if let Stops::Known(stops) = &mut *self.stops() {
            stops.insert(container);
        }
    }

    /// An earlier life of control drove the deploy: what it asked the engine for is not known.
    pub(crate) fn forget_stops(&self) {
        *self.stops() = Stops::Unknown;
    }

    /// Whether the engine may have been asked to stop that container of the old version.
    pub(crate) fn may_have_stopped(&self, container: ContainerId) -> bool {
        match &*self.stops() {
            Stops::Known(stops) => stops.contains(&container),
            Stops::Unknown => true,
        }
    }

    fn stops(&self) -> std::sync::MutexGuard<'_, Stops> {
        self.stops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> Run {
        Run::new(DeployId(1), AppId(1), None)
    }

    #[test]
    fn a_deploy_is_stopped_or_passes_never_both() {
        let stopped = run();
        assert!(stopped.stop(Outcome::Cancelled));
        assert_eq!(stopped.pass(|| Ok::<_, ()>(())), Err(Outcome::Cancelled));
        let passed = run();
        assert_eq!(passed.pass(|| Ok::<_, ()>(())), Ok(Ok(())));
        assert!(!passed.stop(Outcome::Superseded));
    }

    #[test]
    fn a_commit_that_fails_leaves_the_gate_open() {
        let run = run();
        assert_eq!(run.pass(|| Err("disk full")), Ok(Err("disk full")));
        assert!(run.stop(Outcome::Failed));
    }
}
