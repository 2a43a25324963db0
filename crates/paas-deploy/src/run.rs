use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use paas_domain::{AppId, DeployEvent, DeployId, Outcome};
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
