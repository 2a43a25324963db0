use std::{collections::BTreeMap, sync::Arc};

use paas_docker::{VolumeSpec, label};

use crate::common::{App, World, refusal};

fn spec(world: &World) -> VolumeSpec {
    VolumeSpec { name: world.name("data"), labels: BTreeMap::from([("note".to_owned(), "x".to_owned())]) }
}

pub async fn a_volume_is_made_once(world: Arc<World>) {
    let spec = spec(&world);
    for _ in 0..2 {
        world.engine.ensure_volume(&spec).await.unwrap();
    }
    let volumes = world.engine.list_volumes().await.unwrap();
    assert_eq!(volumes.len(), 1);
    assert_eq!(volumes[0].name, spec.name);
    assert_eq!((volumes[0].labels["note"].as_str(), &volumes[0].labels[label::INSTANCE]), ("x", &world.id));
    for _ in 0..2 {
        world.engine.remove_volume(&spec.name).await.unwrap();
    }
    assert!(world.engine.list_volumes().await.unwrap().is_empty());
}

pub async fn a_volume_in_use_stays(world: Arc<World>) {
    let volume = spec(&world);
    world.engine.ensure_volume(&volume).await.unwrap();
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let mut container = world.spec("web", &image);
    container.mounts = vec![(volume.name.clone(), "/data".to_owned())];
    world.engine.create_container(&container).await.unwrap();
    // Not even running.
    assert!(refusal(world.engine.remove_volume(&volume.name).await).contains("in use"));
    world.engine.start_container(&container.name).await.unwrap();
    world.engine.remove_container(&container.name).await.unwrap();
    assert_eq!(world.engine.list_volumes().await.unwrap().len(), 1);
    world.engine.remove_volume(&volume.name).await.unwrap();
}
