//! Control is killed at every call of a deploy that changes something, before and after its effect, and started again: what is there is whole.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use paas_domain::{CommitId, Outcome};
use support::{Crash, Server, Side};

const FILES: &[(&str, &str)] =
    &[("Dockerfile", "FROM scratch\nCMD [\"/app\"]\n"), ("paas.toml", "[volumes]\ndata = \"/data\"\n")];
const CHANGED: &[(&str, &str)] =
    &[("Dockerfile", "FROM scratch\nCMD [\"/app2\"]\n"), ("paas.toml", "[volumes]\ndata = \"/data\"\n")];

/// A server with so many releases deployed, and the commit to push next.
fn server(releases: u32) -> (Server, CommitId) {
    let server = Server::new();
    let first = server.commit(FILES);
    if releases == 1 {
        let control = server.control();
        assert_eq!(control.push(&server, &first).outcome(), Outcome::Done);
        control.settle();
        assert_eq!(control.assert_whole(&server), Some(1));
        control.kill();
        let second = server.commit(CHANGED);
        return (server, second);
    }
    (server, first)
}

/// How many calls change something when nothing is killed.
fn calls(releases: u32) -> usize {
    let (server, commit) = server(releases);
    let count = Crash::new(usize::MAX, Side::Before);
    let control = server.control_with(Some(&count));
    assert_eq!(control.push(&server, &commit).outcome(), Outcome::Done);
    let calls = count.calls();
    control.kill();
    calls
}

fn killed_at(releases: u32, at: usize, side: Side) {
    let (server, commit) = server(releases);
    let crash = Crash::new(at, side);
    let control = server.control_with(Some(&crash));
    let _handle = control.begin_push(&server, &commit);
    control.block_on(crash.reached());
    control.kill();

    let control = server.control();
    control.settle();
    let serving = control.assert_whole(&server);
    let old = (releases > 0).then_some(releases);
    assert!(serving == old || serving == Some(releases + 1), "call {at} {side:?}: {serving:?} serves");
    // And the server is as good as new: the same push works.
    assert_eq!(control.push(&server, &commit).outcome(), Outcome::Done, "call {at} {side:?}");
    control.settle();
    assert!(control.assert_whole(&server) > serving, "call {at} {side:?}");
    control.kill();
}

fn killed_at_every_call(releases: u32) {
    let calls = calls(releases);
    assert!(calls >= 6, "a deploy makes more than {calls} calls");
    for at in 0..calls {
        for side in [Side::Before, Side::After] {
            killed_at(releases, at, side);
        }
    }
}

#[test]
fn a_first_deploy_survives_a_kill_at_every_call() {
    killed_at_every_call(0);
}

#[test]
fn a_redeploy_survives_a_kill_at_every_call() {
    killed_at_every_call(1);
}
