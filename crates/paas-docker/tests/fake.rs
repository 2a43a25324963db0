//! What only the fake engine can do: behave as told.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test binary has no outside, and helpers of tests are tests too"
)]

mod common;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::StreamExt;
use paas_docker::{
    BuildError, BuildOutput, ContainerExit, ContainerState, Engine, EngineError, FakeEngine, LogLine,
    LogsRequest, NetworkSpec, RestartPolicy, VolumeSpec,
    fake::{FakeBehaviour, FakeBuild, FakeCall, FakeImage, FakeWhen},
    label,
};
use tokio::sync::mpsc;

use common::{App, World, build, context, request};

fn fake(world: &World) -> &FakeEngine {
    world.fake.as_ref().unwrap()
}

#[tokio::test]
async fn a_lost_answer_has_its_effect_and_the_retry_adopts_it() {
    let world = World::fake();
    let image = world.image("app", App::Runs).await;
    let spec = world.spec("web", &image);
    fake(&world).lose_next_answer(FakeCall::CreateContainer);
    let lost = world.engine.create_container(&spec).await;
    assert!(matches!(lost, Err(EngineError::Protocol { .. })), "{lost:?}");
    let id = fake(&world).container(&spec.name).unwrap().id;
    world.engine.create_container(&spec).await.unwrap();
    assert_eq!(fake(&world).container(&spec.name).unwrap().id, id);
}

#[tokio::test]
async fn a_planned_failure_has_no_effect_and_happens_once() {
    let world = World::fake();
    let image = world.image("app", App::Runs).await;
    let spec = world.spec("web", &image);
    fake(&world).fail_next(FakeCall::CreateContainer, EngineError::NotFound("disk".to_owned()));
    world.engine.find_container(&spec.name).await.unwrap();
    assert!(matches!(world.engine.create_container(&spec).await, Err(EngineError::NotFound(_))));
    assert_eq!(fake(&world).containers().len(), 0);
    world.engine.create_container(&spec).await.unwrap();
    fake(&world).fail_next(FakeCall::Build, EngineError::NotFound("disk".to_owned()));
    let (result, _) = build(&*world.engine, request("x"), context::only("FROM scratch\n")).await;
    assert!(matches!(result, Err(BuildError::Engine(EngineError::NotFound(_)))), "{result:?}");
}

#[tokio::test]
async fn an_engine_that_is_down_changes_nothing() {
    let world = World::fake();
    fake(&world).set_down(true);
    let spec = VolumeSpec { name: world.name("data"), labels: BTreeMap::new() };
    assert!(matches!(world.engine.ensure_volume(&spec).await, Err(EngineError::Unavailable(_))));
    assert!(matches!(world.engine.info().await, Err(EngineError::Unavailable(_))));
    fake(&world).set_down(false);
    assert!(fake(&world).volumes().is_empty());
    world.engine.ensure_volume(&spec).await.unwrap();
}

#[tokio::test]
async fn a_held_call_can_die_before_or_after_its_effect() {
    let world = World::fake();
    let volume = VolumeSpec { name: world.name("data"), labels: BTreeMap::new() };
    for (before, effect) in [(true, 0), (false, 1)] {
        let fake = fake(&world);
        let call = FakeCall::EnsureVolume;
        let mut hold = if before { fake.hold_next(call) } else { fake.hold_next_answer(call) };
        let (engine, spec) = (Arc::clone(&world.engine), volume.clone());
        let control = tokio::spawn(async move { engine.ensure_volume(&spec).await });
        hold.reached().await;
        control.abort();
        assert!(control.await.unwrap_err().is_cancelled());
        assert_eq!(fake.volumes().len(), effect);
    }
    // One that is released goes on.
    let mut hold = fake(&world).hold_next(FakeCall::RemoveVolume);
    let (engine, name) = (Arc::clone(&world.engine), volume.name.clone());
    let control = tokio::spawn(async move { engine.remove_volume(&name).await });
    hold.reached().await;
    assert_eq!(fake(&world).volumes().len(), 1);
    hold.release();
    control.await.unwrap().unwrap();
    assert!(fake(&world).volumes().is_empty());
}

#[tokio::test]
async fn calls_are_recorded_in_order_and_clones_share_them() {
    let world = World::fake();
    let clone = fake(&world).clone();
    let network = world.network().await;
    clone.remove_network(&network).await.unwrap();
    let calls: Vec<_> =
        fake(&world).calls().into_iter().map(|record| (record.call, record.subject)).collect();
    assert_eq!(calls, [(FakeCall::EnsureNetwork, network.clone()), (FakeCall::RemoveNetwork, network)]);
    clone.clear_calls();
    assert!(fake(&world).calls().is_empty());
}

#[tokio::test]
async fn a_hanging_build_ends_when_it_is_dropped() {
    let world = World::fake();
    let step = BuildOutput::Step { name: "[1/1] RUN make".to_owned(), cached: false };
    fake(&world)
        .script_build(FakeWhen::Image("slow".to_owned()), FakeBuild::Hangs { output: vec![step.clone()] });
    let (output, mut log) = mpsc::channel(1);
    let engine = Arc::clone(&world.engine);
    let building =
        tokio::spawn(
            async move { engine.build(request("slow"), context::only("FROM scratch\n"), output).await },
        );
    assert_eq!(log.recv().await, Some(step));
    assert_eq!(fake(&world).running_builds(), 1);
    building.abort();
    fake(&world).until(|fake| fake.running_builds() == 0).await;
    assert!(fake(&world).images().is_empty());
}

#[tokio::test]
async fn builds_go_as_scripted_and_are_recorded() {
    let world = World::fake();
    let fake = fake(&world);
    fake.script_build(
        FakeWhen::Label { key: label::APP.to_owned(), value: "7".to_owned() },
        FakeBuild::Fails {
            output: Vec::new(),
            step: Some("[2/2] RUN x".to_owned()),
            message: "exit code: 1".to_owned(),
        },
    );
    fake.script_build(
        FakeWhen::Dockerfile("other".to_owned()),
        FakeBuild::CannotPull { image: "alpine:3".to_owned(), message: "no such host".to_owned() },
    );
    let image = FakeImage { exposed_tcp_ports: vec![8080], has_command: false, ..FakeImage::default() };
    fake.script_build(FakeWhen::Image("good".to_owned()), FakeBuild::Succeeds { output: Vec::new(), image });
    let mut failing = request("bad");
    failing.labels.insert(label::APP.to_owned(), "7".to_owned());
    let context = || context::of(vec![1; 100_000]);
    assert!(matches!(build(fake, failing, context()).await.0, Err(BuildError::Step { step: Some(_), .. })));
    let mut unpullable = request("bad");
    unpullable.dockerfile = "other".to_owned();
    assert!(matches!(build(fake, unpullable, context()).await.0, Err(BuildError::Pull { .. })));
    build(fake, request("good"), context()).await.0.unwrap();
    let found = fake.find_image("good").await.unwrap().unwrap();
    assert_eq!((found.exposed_tcp_ports, found.has_command), (vec![8080], false));
    let records: Vec<_> =
        fake.builds().into_iter().map(|record| (record.tag, record.context_bytes)).collect();
    assert_eq!(
        records,
        [("bad".to_owned(), 100_000), ("bad".to_owned(), 100_000), ("good".to_owned(), 100_000)]
    );
}

/// The same bytes in other pieces are the same context.
#[tokio::test]
async fn the_pieces_of_a_context_make_no_difference() {
    let world = World::fake();
    let mut ids = Vec::new();
    for size in [1, 7, 4096] {
        let bytes = Bytes::from((0..10_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>());
        let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let context = Box::pin(futures_util::stream::iter(pieces));
        ids.push(build(&*world.engine, request("x"), context).await.0.unwrap());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn a_server_restart_brings_back_what_should_run() {
    let world = World::fake();
    let (fake, mut names) = (fake(&world), Vec::new());
    for (what, policy) in [("kept", RestartPolicy::UnlessStopped), ("once", RestartPolicy::Never)] {
        let spec = world.running(what, App::Runs).await;
        world.engine.set_restart_policy(&spec.name, policy).await.unwrap();
        names.push(spec.name);
    }
    let stopped = world.running("stopped", App::Runs).await;
    world.engine.set_restart_policy(&stopped.name, RestartPolicy::UnlessStopped).await.unwrap();
    world.engine.stop_container(&stopped.name, Duration::ZERO).await.unwrap();
    fake.restart_engine();
    let state = |name: &str| fake.container(name).unwrap().state;
    assert_eq!(
        (state(&names[0]), state(&names[1]), state(&stopped.name)),
        (ContainerState::Running, ContainerState::Exited, ContainerState::Exited)
    );
    // At its old address or another free one, but with one.
    assert!(fake.container(&names[0]).unwrap().address.is_some());
}

#[tokio::test]
async fn what_exits_at_once_waits_for_its_restart() {
    let world = World::fake();
    world.network().await;
    let image = world.image("app", App::Exits(1)).await;
    let mut spec = world.spec("web", &image);
    spec.restart = RestartPolicy::UnlessStopped;
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    let found = world.engine.find_container(&spec.name).await.unwrap().unwrap();
    assert_eq!((found.state, found.restart_count), (ContainerState::Restarting, 1));
    assert_eq!(found.exit, Some(ContainerExit { code: 1, out_of_memory: false }));
    assert_eq!(world.engine.wait_container(&spec.name).await.unwrap().code, 1);
    world.engine.stop_container(&spec.name, Duration::ZERO).await.unwrap();
    assert_eq!(fake(&world).container(&spec.name).unwrap().state, ContainerState::Exited);
}

#[tokio::test]
async fn a_container_that_cannot_start_stays_created() {
    let world = World::fake();
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let spec = world.spec("web", &image);
    let cannot = FakeBehaviour::CannotStart { message: "exec format error".to_owned() };
    fake(&world).script_container(FakeWhen::Container(spec.name.clone()), cannot);
    world.engine.create_container(&spec).await.unwrap();
    assert_eq!(common::refusal(world.engine.start_container(&spec.name).await), "exec format error");
    let found = world.engine.find_container(&spec.name).await.unwrap().unwrap();
    assert_eq!((found.state, found.exit), (ContainerState::Created, None));
}

#[tokio::test]
async fn what_is_printed_is_followed() {
    let world = World::fake();
    let spec = world.running("web", App::Runs).await;
    let request = LogsRequest { follow: true, tail: Some(0), timestamps: false };
    let mut log = world.engine.logs(&spec.name, request).await.unwrap();
    let line = LogLine { stderr: true, timestamp: None, text: "oops".to_owned() };
    assert!(fake(&world).print(&spec.name, line.clone()));
    assert_eq!(log.next().await.unwrap().unwrap(), line);
    assert!(!fake(&world).print("nobody", line));
    assert!(fake(&world).exit_container(&spec.name, ContainerExit { code: 1, out_of_memory: false }));
    assert!(log.next().await.is_none());
}

#[tokio::test]
async fn planted_things_are_there_as_they_are() {
    let world = World::fake();
    let fake = fake(&world);
    fake.plant_container(world.spec("web", "nginx"));
    fake.plant_image("nginx", BTreeMap::new(), FakeImage::default());
    fake.plant_network(NetworkSpec {
        name: "net".to_owned(),
        subnet: world.subnet.clone(),
        labels: BTreeMap::new(),
    });
    fake.plant_volume(VolumeSpec { name: "data".to_owned(), labels: BTreeMap::new() });
    // Nobody's, so foreign to us.
    assert!(common::is_foreign(&fake.remove_container(&world.name("web")).await));
    assert!(common::is_foreign(&fake.remove_image("nginx").await));
    assert!(common::is_foreign(&fake.remove_network("net").await));
    assert!(common::is_foreign(&fake.remove_volume("data").await));
    assert_eq!((fake.containers().len(), fake.images().len()), (1, 1));
    assert_eq!((fake.networks().len(), fake.volumes().len()), (1, 1));
}
