use std::{collections::BTreeMap, sync::Arc, time::Duration};

use paas_docker::{ContainerState, LogsRequest, NetworkSpec, RestartPolicy, VolumeSpec};

use crate::common::{App, World, is_foreign};

pub async fn containers_of_others_are_untouched(world: Arc<World>) {
    let (ours, other) = (&world.engine, &world.other);
    world.network().await;
    let image = world.image_of(other, "app", App::Runs).await;
    let spec = world.spec("web", &image);
    other.create_container(&spec).await.unwrap();
    other.start_container(&spec.name).await.unwrap();
    let name = &spec.name;

    assert_eq!(ours.find_container(name).await.unwrap(), None);
    assert!(ours.list_containers().await.unwrap().is_empty());
    assert!(is_foreign(&ours.create_container(&spec).await));
    assert!(is_foreign(&ours.start_container(name).await));
    assert!(is_foreign(&ours.stop_container(name, Duration::ZERO).await));
    assert!(is_foreign(&ours.set_restart_policy(name, RestartPolicy::UnlessStopped).await));
    assert!(is_foreign(&ours.wait_container(name).await));
    let request = LogsRequest { follow: false, tail: None, timestamps: false };
    assert!(is_foreign(&ours.logs(name, request).await));
    assert!(is_foreign(&ours.remove_container(name).await));

    assert_eq!(other.find_container(name).await.unwrap().unwrap().state, ContainerState::Running);
}

pub async fn networks_and_volumes_of_others_are_untouched(world: Arc<World>) {
    let (ours, other) = (&world.engine, &world.other);
    let network =
        NetworkSpec { name: world.name("net"), subnet: world.subnet.clone(), labels: BTreeMap::new() };
    let volume = VolumeSpec { name: world.name("data"), labels: BTreeMap::new() };
    other.ensure_network(&network).await.unwrap();
    other.ensure_volume(&volume).await.unwrap();

    assert!(is_foreign(&ours.ensure_network(&network).await));
    assert!(is_foreign(&ours.remove_network(&network.name).await));
    assert!(ours.list_networks().await.unwrap().is_empty());
    assert!(is_foreign(&ours.ensure_volume(&volume).await));
    assert!(is_foreign(&ours.remove_volume(&volume.name).await));
    assert!(ours.list_volumes().await.unwrap().is_empty());
    let image = world.image("app", App::Runs).await;
    let mut spec = world.spec("web", &image);
    spec.mounts = vec![(volume.name.clone(), "/data".to_owned())];
    assert!(is_foreign(&ours.create_container(&spec).await));

    assert_eq!(other.list_networks().await.unwrap().len(), 1);
    assert_eq!(other.list_volumes().await.unwrap().len(), 1);
}

pub async fn images_of_others_are_untouched(world: Arc<World>) {
    let image = world.image_of(&world.other, "app", App::Runs).await;
    assert!(world.engine.list_images().await.unwrap().is_empty());
    assert!(is_foreign(&world.engine.remove_image(&image).await));
    // An app may run an image somebody else made.
    assert!(world.engine.find_image(&image).await.unwrap().is_some());
    assert_eq!(world.other.list_images().await.unwrap().len(), 1);
}
