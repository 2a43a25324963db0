//! Candidates, on the fake engine.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod support;

use paas_deploy::CancelAnswer;
use paas_docker::{
    ContainerExit, ContainerState,
    fake::{FakeBehaviour, FakeCall, FakeWhen},
};
use paas_domain::{CommitId, ConfigKey, DeployEvent, DeployKind, Outcome, Secret, Share};
use paas_store::{ReleaseStatus, Setting};
use support::{Control, Server, Told};

fn commit(server: &Server, command: &str) -> CommitId {
    server.commit(&[("Dockerfile", &format!("FROM scratch\nCMD [\"{command}\"]\n"))])
}

/// The same with a paas.toml.
fn commit_with(server: &Server, command: &str, manifest: &str) -> CommitId {
    let dockerfile = format!("FROM scratch\nCMD [\"{command}\"]\n");
    server.commit(&[("Dockerfile", &dockerfile), ("paas.toml", manifest)])
}

const CANARY: &str = "[deploy]\ncanary = 10\n";

/// A server on which version 1 serves and version 2 is the candidate for a tenth of the visitors.
fn with_candidate() -> (Server, Control) {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &commit(&server, "/one")).outcome(), Outcome::Done);
    control.set(Setting::CanaryShare, "10");
    let told = control.push(&server, &commit(&server, "/two"));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    (server, control)
}

fn redeploy(control: &Control, kind: DeployKind) -> Told {
    let handle = control.block_on(async {
        control.deployer.redeploy(control.app().id, kind, "a change".into(), "ann".into()).unwrap()
    });
    control.told(handle.unwrap())
}

fn promote(control: &Control) -> Told {
    let handle = control.block_on(async { control.deployer.promote(control.app().id).unwrap() });
    control.told(handle.unwrap())
}

fn status(control: &Control, version: u32) -> ReleaseStatus {
    let releases = control.store.list_releases(control.app().id).unwrap();
    releases.into_iter().find(|release| release.version.0 == version).unwrap().status
}

fn share(percent: u8) -> Share {
    Share::new(percent).unwrap()
}

#[test]
fn the_next_push_becomes_the_candidate_and_says_how_to_go_on() {
    let server = Server::new();
    let control = server.control();
    control.set(Setting::CanaryShare, "10");
    let told = control.push(&server, &commit(&server, "/one"));
    assert!(told.text().contains("everybody gets it"), "{}", told.text());
    assert_eq!(control.candidate(), None, "a first release has nothing to be beside");
    let told = control.push(&server, &commit(&server, "/two"));
    for part in [
        "v2 is the candidate: 10 % of the visitors get it, the others v1",
        "paas releases:promote blog",
        "paas releases:abort blog",
    ] {
        assert!(told.text().contains(part), "{part} in {}", told.text());
    }
    let Some(DeployEvent::Ended { outcome, share: told_share, .. }) = told.0.last() else { panic!() };
    assert_eq!((*outcome, *told_share), (Outcome::Done, Some(share(10))));
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    let candidate = control.service(&server).candidate.unwrap();
    assert_eq!((candidate.id.as_str(), candidate.percent), ("v2", 10));
    assert_eq!(status(&control, 2), ReleaseStatus::Candidate);
}

#[test]
fn every_push_is_a_candidate_when_the_file_says_so() {
    let server = Server::new();
    let control = server.control();
    let push = |command: &str| {
        let told = control.push(&server, &commit_with(&server, command, CANARY));
        assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
        control.settle();
        (control.assert_whole(&server), control.candidate())
    };
    assert_eq!(push("/one"), (Some(1), None), "a first release has nothing to be beside");
    assert_eq!(push("/two"), (Some(1), Some(2)));
    assert_eq!(control.service(&server).candidate.unwrap().percent, 10);
    // Promoted it serves everybody, and stays what it is; the next push is one again.
    assert_eq!(promote(&control).outcome(), Outcome::Done);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(2), None));
    for kind in [DeployKind::Restart, DeployKind::Scale] {
        assert_eq!(redeploy(&control, kind).outcome(), Outcome::Done);
        control.settle();
        assert_eq!((control.assert_whole(&server), control.candidate()), (Some(2), None), "{kind:?}");
    }
    assert_eq!(push("/three"), (Some(2), Some(3)));
    control.block_on(control.deployer.abort_candidate(control.app().id, "ann")).unwrap();
    assert_eq!(push("/four"), (Some(2), Some(4)));
    // A command wins: another share, or everybody.
    control.set(Setting::CanaryShare, "50");
    assert_eq!(push("/five"), (Some(2), Some(5)));
    assert_eq!(control.service(&server).candidate.unwrap().percent, 50);
    control.set(Setting::CanaryShare, "off");
    assert_eq!(push("/six"), (Some(6), None));
}

#[test]
fn a_config_change_is_a_candidate_when_the_file_says_so() {
    let server = Server::new();
    let control = server.control();
    let change = |color: &str| {
        let value = (ConfigKey::new("COLOR").unwrap(), Some(Secret::new(color)));
        control.store.change_config(control.app().id, &[value]).unwrap();
        let told = redeploy(&control, DeployKind::Config);
        assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
        control.settle();
        (control.assert_whole(&server), control.candidate())
    };
    assert_eq!(control.push(&server, &commit(&server, "/one")).outcome(), Outcome::Done);
    assert_eq!(control.push(&server, &commit_with(&server, "/two", CANARY)).outcome(), Outcome::Done);
    control.settle();
    let image = server.engine.container("paas-blog-web-1-v2").unwrap().image;
    // The last file that was pushed says so, which is the candidate's: the change goes to its code.
    assert_eq!(change("green"), (Some(1), Some(3)));
    assert_eq!(server.engine.container("paas-blog-web-1-v3").unwrap().image, image);
    assert_eq!(promote(&control).outcome(), Outcome::Done);
    control.settle();
    assert_eq!(change("blue"), (Some(3), Some(4)));
    control.set(Setting::CanaryShare, "off");
    assert_eq!(change("red"), (Some(5), None), "of the active release");
}

#[test]
fn a_strategy_by_command_and_a_canary_of_the_file_exclude_each_other() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &commit(&server, "/one")).outcome(), Outcome::Done);
    control.set(Setting::Strategy, "hold");
    let told = control.push(&server, &commit_with(&server, "/two", CANARY));
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("one version run at a time"), "{}", told.text());
    assert!(told.text().contains("paas releases:canary blog off"), "{}", told.text());
    let both = commit_with(&server, "/two", "[deploy]\ncanary = 10\nstrategy = \"hold\"\n");
    let told = control.push(&server, &both);
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("take out `strategy` or `canary`"), "{}", told.text());
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), None));
}

#[test]
fn the_share_of_a_running_candidate_changes_at_once() {
    let (server, control) = with_candidate();
    let app = control.app().id;
    let version = control.block_on(control.deployer.set_share(app, share(50))).unwrap().unwrap();
    assert_eq!(version.0, 2);
    assert_eq!(control.service(&server).candidate.unwrap().percent, 50);
    control.block_on(control.deployer.abort_candidate(app, "ann")).unwrap();
    assert_eq!(control.block_on(control.deployer.set_share(app, share(50))).unwrap(), None);
}

#[test]
fn a_promoted_candidate_serves_with_the_containers_it_has() {
    let (server, control) = with_candidate();
    let container = server.engine.container("paas-blog-web-1-v2").unwrap().id;
    let told = promote(&control);
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(2), None));
    assert_eq!(server.engine.container("paas-blog-web-1-v2").unwrap().id, container);
    assert!(server.proxy.drained().contains("paas-blog-web-1-v1"));
    assert!(control.block_on(async { control.deployer.promote(control.app().id).unwrap() }).is_none());
}

#[test]
fn a_promotion_while_the_push_waits_for_git_is_one_of_its_own() {
    let server = Server::new();
    let control = server.control();
    assert_eq!(control.push(&server, &commit(&server, "/one")).outcome(), Outcome::Done);
    control.set(Setting::CanaryShare, "10");
    let two = commit(&server, "/two");
    let pushed = control.begin_push(&server, &two);
    let deploy = pushed.id();
    assert_eq!(control.told(pushed).outcome(), Outcome::Done);
    // git has not moved the branch yet: the push's task has the turn.
    let mut stopping = server.engine.hold_next(FakeCall::StopContainer);
    let promotion = control.block_on(async { control.deployer.promote(control.app().id).unwrap().unwrap() });
    let push = format!("push-{two}");
    assert_eq!(control.deployer.cancel_push(&push), CancelAnswer::TooLate, "it is known still");
    control.deployer.push_received(&push);
    control.block_on(stopping.reached());
    // The push's task is over, the promotion's is not.
    control.block_on(async { control.deployer.resume().unwrap() });
    let followed = control.deployer.follow(deploy).unwrap();
    stopping.release();
    let told = control.told(promotion);
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert_eq!(control.told(followed).text(), told.text(), "nobody else drives it");
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(2), None));
}

#[test]
fn a_scale_that_the_candidate_does_not_have_is_told_at_its_promotion() {
    let (server, control) = with_candidate();
    control.store.set_scale(control.app().id, &[(paas_domain::ProcessType::web(), 2)].into()).unwrap();
    let told = promote(&control);
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    assert!(told.text().contains("paas ps:restart blog"), "{}", told.text());
    control.settle();
    assert_eq!(control.assert_whole(&server), Some(2));
}

#[test]
fn an_aborted_candidate_drains_and_goes() {
    let (server, control) = with_candidate();
    let app = control.app().id;
    let version = control.block_on(control.deployer.abort_candidate(app, "ann")).unwrap().unwrap();
    assert_eq!(version.0, 2);
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), None));
    assert!(server.proxy.drained().contains("paas-blog-web-1-v2"));
    assert_eq!(status(&control, 2), ReleaseStatus::Aborted);
    assert_eq!(server.engine.images().len(), 1, "its image is gone");
    assert_eq!(control.block_on(control.deployer.abort_candidate(app, "ann")).unwrap(), None);
}

#[test]
fn a_second_push_takes_the_candidates_place() {
    let (server, control) = with_candidate();
    let told = control.push(&server, &commit(&server, "/three"));
    assert_eq!(told.outcome(), Outcome::Done, "{}", told.text());
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(3)));
    assert_eq!(status(&control, 2), ReleaseStatus::Aborted);
}

#[test]
fn a_push_that_fails_leaves_the_candidate() {
    let (server, control) = with_candidate();
    control.set(Setting::HealthTimeout, "1s");
    server.answer("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    assert_eq!(control.push(&server, &commit(&server, "/three")).outcome(), Outcome::Failed);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
}

#[test]
fn a_config_change_goes_to_the_candidate_and_keeps_its_code() {
    let (server, control) = with_candidate();
    let image = server.engine.container("paas-blog-web-1-v2").unwrap().image;
    let value = (ConfigKey::new("COLOR").unwrap(), Some(Secret::new("green")));
    control.store.change_config(control.app().id, &[value]).unwrap();
    assert_eq!(redeploy(&control, DeployKind::Config).outcome(), Outcome::Done);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(3)));
    let container = server.engine.container("paas-blog-web-1-v3").unwrap();
    assert_eq!(container.image, image);
    assert_eq!(container.spec.env["COLOR"].expose(), "green");
}

#[test]
fn a_restart_leaves_the_candidate_alone() {
    let (server, control) = with_candidate();
    let container = server.engine.container("paas-blog-web-1-v2").unwrap().id;
    assert_eq!(redeploy(&control, DeployKind::Restart).outcome(), Outcome::Done);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    assert_eq!(server.engine.container("paas-blog-web-1-v2").unwrap().id, container);
}

#[test]
fn a_push_to_everybody_ends_the_candidate() {
    let (server, control) = with_candidate();
    control.unset(Setting::CanaryShare);
    assert_eq!(control.push(&server, &commit(&server, "/three")).outcome(), Outcome::Done);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(3), None));
}

#[test]
fn a_candidate_keeps_its_share_over_restarts_of_everything() {
    let (server, control) = with_candidate();
    let name = "paas-blog-web-1-v2";
    control.kill();
    server.engine.restart_engine();
    let control = server.control();
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    // The proxy lost its table, and somebody removed the container.
    control
        .block_on(paas_deploy::Proxy::delete_service(&server.proxy, &format!("app-{}", control.app().id)))
        .unwrap();
    control.block_on(paas_docker::Engine::remove_container(&server.engine, name)).unwrap();
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    assert_eq!(control.service(&server).candidate.unwrap().percent, 10);
    server.engine.exit_container(name, ContainerExit { code: 1, out_of_memory: false });
    control.block_on(server.engine.until(|engine| {
        engine.container(name).is_some_and(|container| container.state == ContainerState::Running)
    }));
}

#[test]
fn a_stopped_app_has_no_candidate() {
    let (server, control) = with_candidate();
    control.block_on(control.deployer.stop_app(control.app().id)).unwrap();
    assert!(server.engine.containers().is_empty());
    assert_eq!(control.candidate(), None);
    assert_eq!(redeploy(&control, DeployKind::Start).outcome(), Outcome::Done);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), None));
}

#[test]
fn one_version_at_a_time_and_a_candidate_exclude_each_other() {
    let (server, control) = with_candidate();
    control.set(Setting::Strategy, "hold");
    let told = control.push(&server, &commit(&server, "/three"));
    assert_eq!(told.outcome(), Outcome::Failed);
    assert!(told.text().contains("one version run at a time"), "{}", told.text());
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    // To everybody: the candidate stops with the rest before anything starts.
    control.unset(Setting::CanaryShare);
    let running = server.together.seen();
    assert_eq!(control.push(&server, &commit(&server, "/four")).outcome(), Outcome::Done);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(3), None));
    assert_eq!(server.together.seen(), running, "nothing new ran beside anything");
}

#[test]
fn a_candidate_stopped_for_a_deploy_that_fails_comes_back() {
    let (server, control) = with_candidate();
    let container = server.engine.container("paas-blog-web-1-v2").unwrap().id;
    control.unset(Setting::CanaryShare);
    control.set(Setting::Strategy, "hold");
    let running = server.together.seen();
    let broken = FakeWhen::Container("paas-blog-web-1-v3".into());
    server.engine.script_container(broken, FakeBehaviour::exits(3, "no database"));
    assert_eq!(control.push(&server, &commit(&server, "/three")).outcome(), Outcome::Failed);
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    assert_eq!(server.engine.container("paas-blog-web-1-v2").unwrap().id, container, "not made anew");
    assert_eq!(control.service(&server).candidate.unwrap().percent, 10);
    assert_eq!(server.together.seen(), running, "nothing new ran beside anything");
}

#[test]
fn nothing_is_promoted_while_another_deploy_has_stopped_everything() {
    let (server, control) = with_candidate();
    control.unset(Setting::CanaryShare);
    control.set(Setting::Strategy, "hold");
    let mut held = server.engine.hold_next(FakeCall::CreateContainer);
    let push = control.begin_push(&server, &commit(&server, "/three"));
    control.block_on(held.reached());
    // As after a crash: nobody has the turn for a moment, and the row says what is under way.
    control.kill();
    let control = server.control_at_rest(None);
    let told = promote(&control);
    assert_eq!(told.outcome(), Outcome::Failed, "{}", told.text());
    assert!(told.text().contains("is still being undone"), "{}", told.text());
    control.block_on(control.deployer.reconcile()).unwrap();
    control.settle();
    assert_eq!((control.assert_whole(&server), control.candidate()), (Some(1), Some(2)));
    assert_eq!(promote(&control).outcome(), Outcome::Done);
    drop((push, held));
}

#[test]
fn whoever_reads_the_push_again_is_told_the_same() {
    let (server, control) = with_candidate();
    let deploy = control.store.candidate(control.app().id).unwrap().unwrap().id;
    control.kill();
    let control = server.control();
    let told = control.told(control.deployer.follow(deploy).unwrap());
    let Some(DeployEvent::Ended { outcome, release, share: told_share, .. }) = told.0.last() else {
        panic!()
    };
    assert_eq!((*outcome, release.unwrap().0, *told_share), (Outcome::Done, 2, Some(share(10))));
}
