//! Pushes, deploys to follow, and what happens when somebody goes away in the middle.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use futures_util::StreamExt as _;
use paas_control::{
    ClientError,
    wire::{CancelAnswer, ErrorKind, StartPush},
};
use paas_docker::fake::{FakeBuild, FakeCall, FakeWhen};
use paas_domain::{CommitId, DeployEvent, DeployId, Outcome};
use paas_store::{Access, App};
use support::*;

const PUSH: &str = "push-0001";

fn push(app: &App, new: CommitId) -> StartPush {
    StartPush { push: PUSH.into(), app: app.id, branch: "main".into(), old: None, new, quarantine: None }
}

/// A server on which every build hangs, and a pushed commit.
fn hanging() -> (Server, App, CommitId) {
    let world = World::new();
    world.engine.script_build(FakeWhen::Always, FakeBuild::Hangs { output: Vec::new() });
    let blog = world.app("blog");
    let new = commit(&world, &blog);
    (Server::start_with(world), blog, new)
}

/// Resolves when the build of the push has begun in the engine.
async fn building(server: &Server) {
    soon(server.world.engine.until(|engine| engine.calls().iter().any(|call| call.call == FakeCall::Build)))
        .await;
}

async fn end_of(server: &Server, deploy: DeployId) -> Vec<DeployEvent> {
    all(server.root().follow_deploy(deploy).await.unwrap()).await
}

fn accepted(event: &DeployEvent) -> DeployId {
    match event {
        DeployEvent::Accepted { deploy } => *deploy,
        other => panic!("the first event is {other:?}"),
    }
}

fn outcome(events: &[DeployEvent]) -> Outcome {
    match events.last() {
        Some(DeployEvent::Ended { outcome, .. }) => *outcome,
        other => panic!("the last event is {other:?}"),
    }
}

#[tokio::test]
async fn an_admins_push_makes_the_app_and_a_fetch_never_does() {
    let world = World::new();
    let admin = world.key("ann", &Access::Admin);
    let shop = world.app("shop");
    let bound = world.key("bob", &Access::Apps(vec![shop.name.clone()]));
    let server = Server::start_with(world);
    let blog = app_name("blog");
    assert_eq!(refusal(server.with_key(admin).prepare_fetch(&blog).await).kind, ErrorKind::NotFound);
    let absent = refusal(server.with_key(bound).prepare_push(&blog).await);
    let prepared = server.with_key(admin).prepare_push(&blog).await.unwrap();
    assert!(prepared.created && prepared.repository.join("HEAD").exists());
    assert_eq!(refusal(server.with_key(bound).prepare_push(&blog).await), absent);
    let again = server.with_key(admin).prepare_push(&blog).await.unwrap();
    assert_eq!((again.created, again.app_id), (false, prepared.app_id));
    assert_eq!(server.with_key(bound).prepare_push(&shop.name).await.unwrap().app_id, shop.id);
}

#[tokio::test]
async fn events_arrive_while_the_deploy_runs() {
    let (server, blog, new) = hanging();
    let mut events = server.root().start_push(&push(&blog, new)).await.unwrap();
    let deploy = accepted(&soon(events.next()).await.unwrap().unwrap());
    // The build never ends: what comes now was not waiting for the end of the answer.
    loop {
        match soon(events.next()).await.unwrap().unwrap() {
            DeployEvent::Step { text } if text.contains("Building") => break,
            DeployEvent::Ended { outcome, .. } => panic!("it ended: {outcome:?}"),
            _ => {}
        }
    }
    building(&server).await;
    assert_eq!(server.root().cancel_push(PUSH).await.unwrap(), CancelAnswer::Cancelled);
    let rest: Vec<_> = soon(events.map(Result::unwrap).collect()).await;
    assert_eq!(outcome(&rest), Outcome::Cancelled);
    let followed = end_of(&server, deploy).await;
    assert_eq!((accepted(&followed[0]), outcome(&followed)), (deploy, Outcome::Cancelled));
}

#[tokio::test]
async fn a_pushing_client_that_goes_away_cancels_and_a_follower_does_not() {
    let (server, blog, new) = hanging();
    let mut events = server.root().start_push(&push(&blog, new)).await.unwrap();
    let deploy = accepted(&soon(events.next()).await.unwrap().unwrap());
    building(&server).await;
    let mut follower = server.root().follow_deploy(deploy).await.unwrap();
    soon(follower.next()).await.unwrap().unwrap();
    drop(follower);
    let witness = server.root().follow_deploy(deploy).await.unwrap();
    assert!(!server.world.store().get_deploy(deploy).unwrap().state.has_ended());
    drop(events);
    assert_eq!(outcome(&all(witness).await), Outcome::Cancelled);
    soon(server.world.engine.until(|engine| engine.running_builds() == 0)).await;
}

#[tokio::test]
async fn control_that_stops_ends_its_streams_and_cancels_nothing() {
    let (server, blog, new) = hanging();
    let mut events = server.root().start_push(&push(&blog, new)).await.unwrap();
    let deploy = accepted(&soon(events.next()).await.unwrap().unwrap());
    building(&server).await;
    server.shutdown.cancel();
    let rest: Vec<_> = soon(events.collect()).await;
    let ended = |event: &Result<DeployEvent, ClientError>| matches!(event, Ok(DeployEvent::Ended { .. }));
    assert!(!rest.iter().any(ended), "{rest:?}");
    soon(server.task).await.unwrap();
    assert!(!server.world.store().get_deploy(deploy).unwrap().state.has_ended());
    soon(server.world.deployer.stop()).await;
}

#[tokio::test]
async fn only_those_who_may_use_the_app_see_or_cancel_its_push() {
    let (server, blog, new) = hanging();
    let shop = server.world.app("shop");
    let mine = server.world.key("ann", &Access::Apps(vec![blog.name.clone()]));
    let other = server.world.key("bob", &Access::Apps(vec![shop.name]));
    assert_eq!(server.with_key(mine).cancel_push(PUSH).await.unwrap(), CancelAnswer::Unknown);
    let mut events = server.with_key(mine).start_push(&push(&blog, new.clone())).await.unwrap();
    let deploy = accepted(&soon(events.next()).await.unwrap().unwrap());
    assert_eq!(refusal(server.with_key(other).follow_deploy(deploy).await).kind, ErrorKind::NotFound);
    assert_eq!(
        refusal(server.with_key(other).start_push(&push(&blog, new.clone())).await).kind,
        ErrorKind::NotFound
    );
    assert_eq!(server.with_key(other).cancel_push(PUSH).await.unwrap(), CancelAnswer::Unknown);
    server.with_key(other).push_received(PUSH).await.unwrap();
    assert!(!server.world.store().get_deploy(deploy).unwrap().state.has_ended());
    assert_eq!(refusal(server.with_key(mine).start_push(&push(&blog, new)).await).kind, ErrorKind::Conflict);
    assert_eq!(server.with_key(mine).cancel_push(PUSH).await.unwrap(), CancelAnswer::Cancelled);
    assert_eq!(outcome(&end_of(&server, deploy).await), Outcome::Cancelled);
}

#[tokio::test]
async fn a_failed_build_is_told_to_its_end() {
    let (server, blog, new) = hanging();
    let fails = FakeBuild::Fails {
        output: Vec::new(),
        step: Some("[2/2] RUN false".into()),
        message: "exit code: 1".into(),
    };
    server.world.engine.script_build(FakeWhen::Always, fails);
    let events = all(server.root().start_push(&push(&blog, new)).await.unwrap()).await;
    assert_eq!(outcome(&events), Outcome::Failed);
    assert!(
        events.iter().any(|event| matches!(event, DeployEvent::Error { text } if text.contains("RUN false")))
    );
}

#[tokio::test]
async fn what_is_no_push_is_refused() {
    let (server, blog, new) = hanging();
    let root = server.root();
    let good = push(&blog, new);
    let objects = server.world.state.repositories.path(blog.id).join("objects");
    let outside = server.world.dir.path().to_owned();
    for bad in [
        StartPush { branch: "feature".into(), ..good.clone() },
        StartPush { push: "short".into(), ..good.clone() },
        StartPush { push: "with blanks in it".into(), ..good.clone() },
        StartPush { quarantine: Some(outside), ..good.clone() },
        StartPush { quarantine: Some(objects.join("../../../../etc")), ..good.clone() },
        StartPush { quarantine: Some(objects.join("absent")), ..good.clone() },
    ] {
        assert_eq!(refusal(root.start_push(&bad).await).kind, ErrorKind::Refused, "{bad:?}");
    }
    let gone = StartPush { app: paas_domain::AppId(4711), ..good.clone() };
    assert_eq!(refusal(root.start_push(&gone).await).kind, ErrorKind::NotFound);
    assert_eq!(refusal(root.follow_deploy(DeployId(4711)).await).kind, ErrorKind::NotFound);
    let quarantine = objects.join("tmp_objdir-incoming-1");
    std::fs::create_dir(&quarantine).unwrap();
    let mut events = root.start_push(&StartPush { quarantine: Some(quarantine), ..good }).await.unwrap();
    accepted(&soon(events.next()).await.unwrap().unwrap());
}

#[tokio::test]
async fn a_branch_that_moved_is_what_a_clone_checks_out() {
    let (server, blog, new) = hanging();
    let root = server.root();
    let mut events =
        root.start_push(&StartPush { branch: "master".into(), ..push(&blog, new) }).await.unwrap();
    accepted(&soon(events.next()).await.unwrap().unwrap());
    root.push_received(PUSH).await.unwrap();
    let head = server.world.state.repositories.path(blog.id).join("HEAD");
    assert_eq!(std::fs::read_to_string(head).unwrap(), "ref: refs/heads/master\n");
    root.push_received("never-heard-of").await.unwrap();
}
