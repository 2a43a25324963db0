//! Named points of a deploy at which the tests kill the process. Without the `failpoints` feature there is nothing here.

use paas_domain::{DeployState, Outcome};

/// `deploy-<state>-<side>`; the point `done` is `deploy-done-before` and `-after`.
#[cfg(feature = "failpoints")]
pub(crate) fn at(state: DeployState, side: &str) {
    debug_assert!(!matches!(state, DeployState::Ended(outcome) if outcome != Outcome::Done));
    let name = format!("deploy-{state}-{side}");
    fail::fail_point!(&name, |_| {
        // As hard as a power cut for the process: no destructor, no flush, no answer.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    });
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
pub(crate) fn at(state: DeployState, _side: &str) {
    debug_assert!(!matches!(state, DeployState::Ended(outcome) if outcome != Outcome::Done));
}
