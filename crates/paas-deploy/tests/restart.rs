//! Control is killed at every call of a deploy that changes something, before and after its effect, and started again: what is there is whole.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use paas_docker::{
    ContainerState, RestartPolicy,
    fake::{FakeBehaviour, FakeWhen},
};
use paas_domain::{CommitId, DeployKind, Outcome};
use paas_store::Setting;
use support::{Control, Crash, Server, Side};

const FILES: &[(&str, &str)] =
    &[("Dockerfile", "FROM scratch\nCMD [\"/app\"]\n"), ("paas.toml", "[volumes]\ndata = \"/data\"\n")];
const CHANGED: &[(&str, &str)] =
    &[("Dockerfile", "FROM scratch\nCMD [\"/app2\"]\n"), ("paas.toml", "[volumes]\ndata = \"/data\"\n")];

/// What is under way when control is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    FirstPush,
    Push,
    /// A push that lets one version run at a time.
    Exclusive,
    /// The same of a version that fails, so that the old one is given back.
    ExclusiveFailing,
    /// A restart of the same release, likewise.
    ExclusiveRestart,
    /// A push that becomes a candidate.
    Canary,
    /// The same while another candidate runs.
    SecondCanary,
    Promote,
    Abort,
}

impl Act {
    /// Releases that serve before.
    fn before(self) -> Option<u32> {
        (self != Self::FirstPush).then_some(1)
    }

    /// Releases that may serve, and that may be the candidate, when it was interrupted.
    fn may_leave(self) -> &'static [(Option<u32>, Option<u32>)] {
        match self {
            Self::FirstPush => &[(None, None), (Some(1), None)],
            Self::Push | Self::Exclusive => &[(Some(1), None), (Some(2), None)],
            Self::ExclusiveRestart | Self::ExclusiveFailing => &[(Some(1), None)],
            Self::Canary => &[(Some(1), None), (Some(1), Some(2))],
            Self::SecondCanary => &[(Some(1), Some(2)), (Some(1), Some(3))],
            Self::Promote => &[(Some(1), Some(2)), (Some(2), None)],
            Self::Abort => &[(Some(1), Some(2)), (Some(1), None)],
        }
    }

    fn is_exclusive(self) -> bool {
        matches!(self, Self::Exclusive | Self::ExclusiveFailing | Self::ExclusiveRestart)
    }

    /// A server as it is before, and the commit to push.
    fn server(self) -> (Server, CommitId) {
        let server = Server::new();
        let (first, second) = (server.commit(FILES), server.commit(CHANGED));
        if self == Self::FirstPush {
            return (server, first);
        }
        let control = server.control();
        assert_eq!(control.push(&server, &first).outcome(), Outcome::Done);
        match self {
            Self::Exclusive | Self::ExclusiveRestart => control.set(Setting::Strategy, "hold"),
            Self::ExclusiveFailing => {
                control.set(Setting::Strategy, "hold");
                let new = FakeWhen::Container("paas-blog-web-1-v2".into());
                server.engine.script_container(new, FakeBehaviour::exits(3, "no database"));
            }
            Self::Canary => control.set(Setting::CanaryShare, "10"),
            Self::SecondCanary | Self::Promote | Self::Abort => {
                control.set(Setting::CanaryShare, "10");
                assert_eq!(control.push(&server, &second).outcome(), Outcome::Done);
            }
            Self::FirstPush | Self::Push => {}
        }
        control.settle();
        assert_eq!(control.assert_whole(&server), self.before());
        control.kill();
        (server, second)
    }

    /// Begins it, without waiting for its end.
    fn begin(self, control: &Control, server: &Server, commit: &CommitId) -> tokio::task::JoinHandle<()> {
        let (deployer, app) = (control.deployer.clone(), control.app().id);
        match self {
            Self::Promote => {
                let handle = control.block_on(async { deployer.promote(app).unwrap().unwrap() });
                control.follow(handle)
            }
            Self::Abort => control.spawn(async move {
                deployer.abort_candidate(app, "ann").await.unwrap().unwrap();
            }),
            Self::ExclusiveRestart => {
                let restart = async move {
                    deployer.redeploy(app, DeployKind::Restart, "Restart".into(), "ann".into()).unwrap()
                };
                control.follow(control.block_on(restart).unwrap())
            }
            _ => control.follow(control.begin_push(server, commit)),
        }
    }
}

/// How many calls change something when nothing is killed.
fn calls(act: Act) -> usize {
    let (server, commit) = act.server();
    let count = Crash::new(usize::MAX, Side::Before);
    let control = server.control_with(Some(&count));
    control.block_on(act.begin(&control, &server, &commit)).unwrap();
    let calls = count.calls();
    control.kill();
    assert!(!act.is_exclusive() || server.together.seen().is_empty(), "{:?}", server.together.seen());
    calls
}

fn killed_at(act: Act, at: usize, side: Side) {
    let place = format!("{act:?}, call {at} {side:?}");
    let (server, commit) = act.server();
    let crash = Crash::new(at, side);
    let control = server.control_with(Some(&crash));
    let ended = act.begin(&control, &server, &commit);
    // What the reconciler does beside it is counted too and varies by a call or two: the last ones may not come.
    control.block_on(async {
        tokio::select! {
            () = crash.reached() => {}
            _ = ended => {}
        }
    });
    control.kill();

    let control = server.control();
    control.settle();
    let serving = control.assert_whole(&server);
    let left = (serving, control.candidate());
    assert!(act.may_leave().contains(&left), "{place}: {left:?} serve");
    assert!(
        !act.is_exclusive() || server.together.seen().is_empty(),
        "{place}: {:?}",
        server.together.seen()
    );
    // And the server is as good as new: a push works.
    control.unset(Setting::CanaryShare);
    server.engine.script_container(FakeWhen::Always, FakeBehaviour::runs());
    let told = control.push(&server, &commit);
    assert_eq!(told.outcome(), Outcome::Done, "{place}: {}", told.text());
    control.settle();
    assert!(control.assert_whole(&server) > serving, "{place}");
    assert_eq!(control.candidate(), None, "{place}");
    control.kill();
}

fn killed_at_every_call(act: Act, at_least: usize) {
    let calls = calls(act);
    assert!(calls >= at_least, "{act:?} makes more than {calls} calls");
    for at in 0..calls {
        for side in [Side::Before, Side::After] {
            killed_at(act, at, side);
        }
    }
}

#[test]
fn a_first_deploy_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::FirstPush, 6);
}

#[test]
fn a_redeploy_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::Push, 9);
}

#[test]
fn a_deploy_that_holds_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::Exclusive, 12);
}

#[test]
fn giving_the_old_version_back_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::ExclusiveFailing, 12);
}

#[test]
fn a_restart_that_holds_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::ExclusiveRestart, 11);
}

#[test]
fn a_candidate_survives_a_kill_at_every_call_of_its_push() {
    killed_at_every_call(Act::Canary, 7);
}

#[test]
fn a_second_candidate_survives_a_kill_at_every_call_of_its_push() {
    killed_at_every_call(Act::SecondCanary, 10);
}

#[test]
fn a_container_made_anew_is_kept_alive_from_its_start() {
    let server = Server::new();
    let control = server.control();
    let commit = server.commit(&[("Dockerfile", "FROM scratch\nCMD [\"/one\"]\n")]);
    assert_eq!(control.push(&server, &commit).outcome(), Outcome::Done);
    control.settle();
    control.kill();
    let name = "paas-blog-web-1-v1";
    for at in 0..6 {
        let crash = Crash::new(at, Side::After);
        let control = server.control_at_rest(Some(&crash));
        control.block_on(paas_docker::Engine::remove_container(&server.engine, name)).unwrap();
        control.block_on(async {
            tokio::select! {
                () = crash.reached() => {}
                reconciled = control.deployer.reconcile() => reconciled.unwrap(),
            }
        });
        control.kill();
        if let Some(container) =
            server.engine.container(name).filter(|it| it.state == ContainerState::Running)
        {
            assert_eq!(container.restart, RestartPolicy::UnlessStopped, "killed after call {at}");
        }
    }
    let control = server.control();
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
}

#[test]
fn a_promotion_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::Promote, 5);
}

#[test]
fn an_abort_survives_a_kill_at_every_call() {
    killed_at_every_call(Act::Abort, 4);
}
