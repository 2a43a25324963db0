//! Deploys that let one version run at a time, on the fake engine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use paas_deploy::CancelAnswer;
use paas_docker::{
    ContainerState, EngineError,
    fake::{FakeBehaviour, FakeCall, FakeWhen},
};
use paas_domain::{CommitId, DeployKind, DeployState, Outcome};
use paas_proxy::{HoldPolicy, Refusal, RefusalKind, ServiceState};
use paas_store::Setting;
use support::{Control, Server};

const PROCFILE: (&str, &str) = ("Procfile", "web: /app\nworker: /work\nrelease: /migrate\n");
const OLD: &str = "paas-blog-web-1-v1";
const NEW: &str = "paas-blog-web-1-v2";

fn commit(server: &Server, command: &str) -> CommitId {
    let dockerfile = format!("FROM scratch\nCMD [\"{command}\"]\n");
    server.commit(&[("Dockerfile", &dockerfile), PROCFILE])
}

/// A server on which version 1 with a web, a worker and a release command serves, and whose next deploys go by that strategy.
fn deployed(strategy: &str) -> (Server, Control) {
    let server = Server::new();
    for version in 1..5 {
        let name = format!("paas-blog-release-v{version}");
        server.engine.script_container(FakeWhen::Container(name), FakeBehaviour::exits(0, "migrated"));
    }
    let control = server.control();
    control.set(Setting::Strategy, strategy);
    let told = control.push(&server, &commit(&server, "/one"));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert!(!told.text().contains("Stopping the old version"), "{}", told.text());
    control.settle();
    (server, control)
}

fn id_of(server: &Server, name: &str) -> Option<u64> {
    server.engine.container(name).map(|container| container.id)
}

#[test]
fn requests_wait_while_one_version_stops_and_the_next_starts() {
    let (server, control) = deployed("hold");
    let told = control.push(&server, &commit(&server, "/two"));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert!(told.text().contains("Visitors waited up to"), "{}", told.text());
    let before = server.proxy.puts();
    let [.., held, serving] = before.as_slice() else { panic!("{before:?}") };
    assert_eq!((held.state, held.targets.len()), (ServiceState::Held, 0));
    assert_eq!(held.policy.hold, HoldPolicy::default(), "they wait as long as the policy says");
    assert_eq!((serving.state, serving.targets[0].id.as_str()), (ServiceState::Serving, NEW));
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(2));
    assert_eq!(
        server.together.seen(),
        Vec::<Vec<String>>::new(),
        "web, worker and release command of one version"
    );
    assert!(server.proxy.drained().contains(OLD));
}

#[test]
fn requests_are_answered_503_at_once_when_an_app_is_recreated() {
    let (server, control) = deployed("recreate");
    let told = control.push(&server, &commit(&server, "/two"));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert!(told.text().contains("Visitors were answered 503 for"), "{}", told.text());
    let puts = server.proxy.puts();
    let held = &puts[puts.len() - 2];
    assert_eq!(
        (held.state, held.policy.hold),
        (ServiceState::Held, HoldPolicy { timeout_ms: 0, requests: 0 })
    );
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(2));
    assert!(server.together.seen().is_empty());
}

#[test]
fn the_strategy_of_the_code_counts_until_a_command_says_another() {
    let server = Server::new();
    let control = server.control();
    let files = |command| [("Dockerfile", command), ("paas.toml", "[deploy]\nstrategy = \"hold\"\n")];
    let push = |command| control.push(&server, &server.commit(&files(command)));
    assert_eq!(push("FROM scratch\nCMD [\"/one\"]\n").outcome(), Outcome::Done);
    assert!(push("FROM scratch\nCMD [\"/two\"]\n").text().contains("Stopping the old version"));
    control.set(Setting::Strategy, "rolling");
    assert!(!push("FROM scratch\nCMD [\"/three\"]\n").text().contains("Stopping the old version"));
}

#[test]
fn a_restart_goes_by_the_strategy_too() {
    let (server, control) = deployed("hold");
    let restart = control.block_on(async {
        let app = control.app().id;
        control.deployer.redeploy(app, DeployKind::Restart, "Restart".into(), "ann".into()).unwrap()
    });
    let told = control.told(restart.unwrap());
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert!(told.text().contains("Visitors waited"), "{}", told.text());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    assert!(server.together.seen().is_empty());
}

#[test]
fn a_version_that_fails_gives_way_to_the_same_old_containers() {
    let (server, control) = deployed("hold");
    let (web, worker) = (id_of(&server, OLD), id_of(&server, "paas-blog-worker-1-v1"));
    server.engine.script_container(FakeWhen::Container(NEW.into()), FakeBehaviour::exits(3, "no database"));
    let told = control.push(&server, &commit(&server, "/broken"));
    assert_eq!(told.outcome(), Outcome::Failed);
    for part in
        ["exited with code 3", "no database", "Starting the old version again", "Visitors waited up to"]
    {
        assert!(told.text().contains(part), "{part} in {}", told.text());
    }
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    assert_eq!(
        (id_of(&server, OLD), id_of(&server, "paas-blog-worker-1-v1")),
        (web, worker),
        "not made anew"
    );
    assert!(server.together.seen().is_empty());
}

#[test]
fn what_the_proxy_would_refuse_when_it_passes_on_again_fails_the_deploy_before_the_switch() {
    for strategy in ["hold", "recreate"] {
        let (server, control) = deployed(strategy);
        // Too long for a target: only a service that is not held has targets to refuse.
        let long = "n".repeat(129);
        server.tamper(&format!(
            "CREATE TRIGGER spoil AFTER INSERT ON containers WHEN NEW.name = '{NEW}'
             BEGIN UPDATE containers SET name = '{long}' WHERE id = NEW.id; END"
        ));
        let told = control.push(&server, &commit(&server, "/two"));
        assert_eq!(told.outcome(), Outcome::Failed, "{}", told.text());
        for part in ["would not serve the new version", "target id", "Starting the old version again"] {
            assert!(told.text().contains(part), "{part} in {}", told.text());
        }
        control.settle();
        assert_eq!(control.assert_whole(&server), Some(1));
    }
}

#[test]
fn what_visitors_get_while_the_proxy_refuses_the_new_version_is_told() {
    for (strategy, wanted) in [
        ("hold", "until then visitors wait, each 30 s at most, and are then answered 503"),
        ("recreate", "until then visitors are answered 503"),
    ] {
        let (server, control) = deployed(strategy);
        // Not healthy until the proxy refuses: the hold it took, the switch it does not take.
        server.answer("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let handle = control.begin_push(&server, &commit(&server, "/two"));
        let service = format!("app-{}", control.app().id);
        control.block_on(server.proxy.until(&service, |service| service.state == ServiceState::Held));
        let message = "this proxy knows no such thing".to_owned();
        server.proxy.refuse(Some(Refusal { kind: RefusalKind::Invalid, message }));
        server.answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let told = control.told(handle);
        assert_eq!(told.outcome(), Outcome::Failed);
        assert!(told.text().contains(wanted), "{wanted} in {}", told.text());
        assert!(!told.text().contains("nothing changes"), "{}", told.text());
        server.proxy.refuse(None);
        control.settle();
        assert_eq!(control.assert_whole(&server), Some(2));
    }
}

#[test]
fn a_release_command_that_fails_gives_the_old_version_back() {
    let (server, control) = deployed("hold");
    let script = FakeBehaviour::exits(1, "migration 7 failed");
    server.engine.script_container(FakeWhen::Container("paas-blog-release-v2".into()), script);
    let told = control.push(&server, &commit(&server, "/two"));
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("migration 7 failed"), "{}", told.text());
    assert!(!told.text().contains("serves on"), "it was stopped: {}", told.text());
    assert!(told.text().contains("Starting the old version again"), "{}", told.text());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    assert!(server.together.seen().is_empty());
}

#[test]
fn an_old_container_that_is_gone_is_made_anew() {
    let (server, control) = deployed("hold");
    server.engine.script_container(FakeWhen::Container(NEW.into()), FakeBehaviour::exits(3, "no database"));
    // The engine loses it while the new one fails.
    let mut held = server.engine.hold_next(FakeCall::CreateContainer);
    let pushed = commit(&server, "/broken");
    let push = control.begin_push(&server, &pushed);
    control.block_on(held.reached());
    control.block_on(paas_docker::Engine::remove_container(&server.engine, OLD)).unwrap();
    held.release();
    assert_eq!(control.told(push).outcome(), Outcome::Failed);
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
}

#[test]
fn a_push_cancelled_while_the_old_version_drains_leaves_it_as_it_was() {
    let (server, control) = deployed("hold");
    let before = id_of(&server, OLD);
    let started = server.engine.container(OLD).unwrap().started_at;
    server.proxy.set_in_flight(OLD, 1);
    let pushed = commit(&server, "/two");
    let push = control.begin_push(&server, &pushed);
    let service = format!("app-{}", control.app().id);
    control.block_on(server.proxy.until(&service, |service| service.state == ServiceState::Held));
    assert_eq!(control.deployer.cancel_push(&format!("push-{pushed}")), CancelAnswer::Cancelled);
    assert_eq!(control.told(push).outcome(), Outcome::Cancelled);
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    assert_eq!(id_of(&server, OLD), before);
    assert_eq!(server.engine.container(OLD).unwrap().started_at, started, "its request went on");
}

#[test]
fn a_newer_push_waits_until_the_older_one_is_undone() {
    let (server, control) = deployed("hold");
    let mut held = server.engine.hold_next(FakeCall::CreateContainer);
    let older = control.begin_push(&server, &commit(&server, "/two"));
    control.block_on(held.reached());
    let newer = control.begin_push(&server, &commit(&server, "/three"));
    held.release();
    assert_eq!(control.told(older).outcome(), Outcome::Superseded);
    let told = control.told(newer);
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(3));
    assert!(server.together.seen().is_empty());
}

#[test]
fn the_old_version_starts_only_when_nothing_is_left_of_the_new_one() {
    let (server, control) = deployed("hold");
    server.engine.script_container(FakeWhen::Container(NEW.into()), FakeBehaviour::exits(3, "no database"));
    let worker = "paas-blog-worker-1-v2";
    let mut removing = server.engine.hold_next(FakeCall::RemoveContainer);
    let push = control.begin_push(&server, &commit(&server, "/broken"));
    // The first is the release command's; the next ones are the undo's, of which one fails.
    control.block_on(removing.reached());
    server.engine.fail_next(FakeCall::RemoveContainer, EngineError::Unavailable("down".into()));
    removing.release();
    let told = control.told(push);
    assert_eq!(told.outcome(), Outcome::Failed, "{}", told.text());
    let begin = Instant::now();
    control.block_on(async {
        while !control.store.running_deploys().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(begin.elapsed() < Duration::from_secs(8), "not at once, but when the reconciler looked anyway");
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    let row = control.store.list_deploys(control.app().id, 1).unwrap().remove(0);
    assert_eq!(row.state, DeployState::Ended(Outcome::Failed), "not as the try that could undo it");
    assert!(row.error.as_deref().unwrap().contains("exited with code 3"), "{row:?}");
    assert!(server.engine.container(worker).is_none());
    assert!(server.together.seen().is_empty());
}

#[test]
fn what_cannot_be_undone_is_not_tried_without_a_pause() {
    let (server, control) = deployed("hold");
    let mut removing = server.engine.hold_next(FakeCall::RemoveContainer);
    let push = control.begin_push(&server, &commit(&server, "/two"));
    control.block_on(removing.reached());
    server.engine.set_down(true);
    removing.release();
    let told = control.told(push);
    assert_eq!(told.outcome(), Outcome::Failed, "{}", told.text());
    let before = server.proxy.listings();
    // Its pace is what is tested.
    control.block_on(async { tokio::time::sleep(Duration::from_secs(1)).await });
    let looks = server.proxy.listings() - before;
    assert!(looks <= 3, "{looks} times in a second");
    assert_eq!(control.store.running_deploys().unwrap().len(), 1, "it could not be undone");
    server.engine.set_down(false);
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(1));
    assert!(server.together.seen().is_empty());
}

#[test]
fn what_is_stopped_for_a_deploy_is_not_started_by_the_reconciler() {
    let (server, control) = deployed("hold");
    let mut held = server.engine.hold_next(FakeCall::CreateContainer);
    let push = control.begin_push(&server, &commit(&server, "/two"));
    control.block_on(held.reached());
    // As after a crash: nobody has the turn for a moment, and the row says what is under way. The held call keeps the earlier life from going on.
    control.kill();
    let reconciling = server.control_at_rest(None);
    reconciling.block_on(reconciling.deployer.reconcile()).unwrap();
    reconciling.settle();
    assert_eq!(reconciling.assert_whole(&server), Some(1));
    assert_eq!(server.engine.container(OLD).unwrap().state, ContainerState::Running);
    assert!(server.together.seen().is_empty());
    drop((push, held));
}

#[test]
fn an_app_stopped_during_a_hold_stays_stopped() {
    let (server, control) = deployed("hold");
    server.engine.script_container(FakeWhen::Container(NEW.into()), FakeBehaviour::exits(3, "no database"));
    let app = control.app().id;
    let mut held = server.engine.hold_next(FakeCall::CreateContainer);
    let push = control.begin_push(&server, &commit(&server, "/broken"));
    control.block_on(held.reached());
    let deployer = control.deployer.clone();
    let stopping = control.spawn(async move { deployer.stop_app(app).await });
    held.release();
    assert_eq!(control.told(push).outcome(), Outcome::Failed);
    control.block_on(stopping).unwrap().unwrap();
    control.settle();
    assert!(server.engine.containers().is_empty());
    assert_eq!(control.service(&server).state, ServiceState::Stopped);
}
