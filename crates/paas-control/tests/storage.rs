//! Volumes, mounts and processes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeMap;

use paas_control::{
    Change,
    wire::{AppState, ErrorKind, MountVolume, ProcessState, ScaleChange, Source, TakesEffect, UnmountVolume},
};
use paas_docker::ContainerExit;
use paas_domain::{DeployEvent, ProcessType};
use paas_store::Access;
use support::*;

fn at(name: &str, place: &str) -> MountVolume {
    MountVolume { volume: volume(name), path: path(place), restart: true }
}

fn scale(name: &str, count: u16) -> ScaleChange {
    ScaleChange(BTreeMap::from([(ProcessType::new(name).unwrap(), count)]))
}

#[tokio::test]
async fn volumes_are_made_mounted_and_destroyed_only_when_free() {
    let world = World::new();
    let blog = world.app("blog");
    let server = Server::start_with(world);
    let root = server.root();
    let absent = refusal(root.mount(&blog.name, &at("data", "/data")).await);
    assert!(
        absent.kind == ErrorKind::NotFound && absent.hints[0].contains("storage:create data"),
        "{absent:?}"
    );
    root.create_volume(&volume("data")).await.unwrap();
    assert_eq!(refusal(root.create_volume(&volume("data")).await).kind, ErrorKind::Conflict);
    let Change::Saved(saved) = root.mount(&blog.name, &at("data", "/data")).await.unwrap() else { panic!() };
    assert_eq!((saved.changed, saved.takes_effect), (true, TakesEffect::NextPush));
    let listed = root.volumes().await.unwrap();
    assert_eq!((listed[0].mounts[0].app.as_str(), listed[0].mounts[0].path.as_str()), ("blog", "/data"));
    let mounts = root.mounts(&blog.name).await.unwrap();
    assert_eq!((mounts[0].volume.as_str(), mounts[0].source), ("data", Source::Command));
    assert_eq!(refusal(root.destroy_volume(&volume("data")).await).kind, ErrorKind::Conflict);
    let wrong = UnmountVolume { volume: Some(volume("data")), path: Some(path("/other")), restart: true };
    assert_eq!(refusal(root.unmount(&blog.name, &wrong).await).kind, ErrorKind::NotFound);
    let nothing = UnmountVolume { volume: None, path: None, restart: true };
    assert_eq!(refusal(root.unmount(&blog.name, &nothing).await).kind, ErrorKind::Refused);
    let unmount = UnmountVolume { volume: Some(volume("data")), path: None, restart: true };
    root.unmount(&blog.name, &unmount).await.unwrap();
    root.destroy_volume(&volume("data")).await.unwrap();
    assert!(root.volumes().await.unwrap().is_empty());
    assert_eq!(refusal(root.destroy_volume(&volume("data")).await).kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_volume_that_a_release_mounts_is_not_destroyed() {
    let world = World::new();
    let blog = world.app("blog");
    world.store().create_volume(&volume("declared")).unwrap();
    let mut with_volume = spec();
    with_volume.mounts = vec![mount("declared", "/data")];
    with_volume.declared.mounts = with_volume.mounts.clone();
    world.release(&blog, with_volume);
    let server = Server::start_with(world);
    let error = refusal(server.root().destroy_volume(&volume("declared")).await);
    assert!(error.kind == ErrorKind::Conflict && error.message.contains("blog"), "{error:?}");
    assert_eq!(server.root().mounts(&blog.name).await.unwrap()[0].source, Source::Manifest);
}

#[tokio::test]
async fn a_bound_key_never_reaches_the_data_of_other_apps() {
    let world = World::new();
    let (blog, shop) = (world.app("blog"), world.app("shop"));
    for name in ["mine", "theirs", "shared", "orphan"] {
        world.store().create_volume(&volume(name)).unwrap();
    }
    for (app, name) in [(&blog, "mine"), (&shop, "theirs"), (&blog, "shared"), (&shop, "shared")] {
        world.store().mount(app.id, &volume(name), &path(&format!("/{name}"))).unwrap();
    }
    let key = world.key("dev", &Access::Apps(vec![blog.name.clone()]));
    let server = Server::start_with(world);
    let dev = server.with_key(key);
    let seen: Vec<_> =
        dev.volumes().await.unwrap().into_iter().map(|volume| volume.name.to_string()).collect();
    assert_eq!(seen, ["mine"]);
    let absent = refusal(dev.mount(&blog.name, &at("nowhere", "/x")).await);
    for name in ["theirs", "shared", "orphan"] {
        let error = refusal(dev.mount(&blog.name, &at(name, "/x")).await);
        assert_eq!(error.message.replace(name, "nowhere"), absent.message);
    }
    dev.mount(&blog.name, &at("mine", "/again")).await.unwrap();
}

#[tokio::test]
async fn processes_are_shown_as_the_engine_has_them() {
    let world = World::new();
    let blog = world.deployed("blog");
    let name = world.start_containers(&blog).await.remove(0);
    let server = Server::start_with(world);
    let root = server.root();
    let list = root.processes(&blog.name).await.unwrap();
    assert_eq!(list.state, AppState::Running);
    assert_eq!(list.scale, BTreeMap::from([(ProcessType::web(), 1)]));
    let web = &list.processes[0];
    assert_eq!((web.name.as_str(), web.release.0, web.state), ("web.1", 1, ProcessState::Running));
    assert!(web.since.is_some());
    server.world.engine.exit_container(&name, ContainerExit { code: 137, out_of_memory: true });
    let list = root.processes(&blog.name).await.unwrap();
    let web = &list.processes[0];
    assert_eq!((list.state, web.state, web.exit_code), (AppState::Crashed, ProcessState::Exited, Some(137)));
    assert!(web.out_of_memory && web.since.is_some());
}

#[tokio::test]
async fn what_was_never_deployed_cannot_be_started_stopped_or_restarted() {
    let world = World::new();
    let blog = world.app("blog");
    let server = Server::start_with(world);
    let root = server.root();
    for error in [
        refusal(root.start(&blog.name).await),
        refusal(root.restart(&blog.name).await),
        refusal(root.stop(&blog.name).await),
    ] {
        assert!(error.kind == ErrorKind::Conflict && error.hints[0].contains("git push"), "{error:?}");
    }
}

#[tokio::test]
async fn a_stopped_app_is_started_not_restarted() {
    let world = World::new();
    let blog = world.deployed("blog");
    world.start_containers(&blog).await;
    let server = Server::start_with(world);
    let root = server.root();
    let Change::Saved(saved) = root.start(&blog.name).await.unwrap() else { panic!("it runs already") };
    assert!(!saved.changed);
    root.stop(&blog.name).await.unwrap();
    assert_eq!(root.app(&blog.name).await.unwrap().state, AppState::Stopped);
    let error = refusal(root.restart(&blog.name).await);
    assert!(error.hints[0].contains("ps:start"), "{error:?}");
    let Change::Saved(saved) = root.scale(&blog.name, &scale("web", 2)).await.unwrap() else { panic!() };
    assert_eq!(saved.takes_effect, TakesEffect::NextStart);
    server.world.engine.set_down(true);
    let Change::Deploying(events) = root.start(&blog.name).await.unwrap() else { panic!("nothing started") };
    assert!(matches!(all(events).await.last(), Some(DeployEvent::Ended { .. })));
}

#[tokio::test]
async fn scale_takes_only_what_there_is() {
    let world = World::new();
    let blog = world.deployed("blog");
    let server = Server::start_with(world);
    let root = server.root();
    assert_eq!(refusal(root.scale(&blog.name, &scale("worker", 1)).await).kind, ErrorKind::NotFound);
    assert_eq!(refusal(root.scale(&blog.name, &scale("web", 101)).await).kind, ErrorKind::Refused);
    assert_eq!(refusal(root.scale(&blog.name, &scale("release", 1)).await).kind, ErrorKind::Refused);
    assert_eq!(refusal(root.scale(&blog.name, &ScaleChange(BTreeMap::new())).await).kind, ErrorKind::Refused);
    let Change::Saved(saved) = root.scale(&blog.name, &scale("web", 1)).await.unwrap() else { panic!() };
    assert!(!saved.changed);
    assert_eq!(root.processes(&blog.name).await.unwrap().scale[&ProcessType::web()], 1);
}
