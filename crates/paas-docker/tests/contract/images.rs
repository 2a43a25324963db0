use std::sync::Arc;

use paas_docker::label;

use crate::common::{App, World, build, context, request};

pub async fn an_image_is_found_by_tag_and_id(world: Arc<World>) {
    let tag = world.image("app", App::Runs).await;
    let found = world.engine.find_image(&tag).await.unwrap().unwrap();
    assert!(found.has_command && found.size_bytes > 0);
    assert_eq!(found.labels[label::INSTANCE], world.id);
    assert_eq!(world.engine.find_image(&found.id.0).await.unwrap(), Some(found.clone()));
    let listed = world.engine.list_images().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].id, listed[0].tags.as_slice()), (&found.id, [tag].as_slice()));
    assert_eq!(world.engine.find_image(&world.tag("nothing")).await.unwrap(), None);
    assert!(!world.engine.remove_image(&world.tag("nothing")).await.unwrap());
}

pub async fn the_same_build_is_the_same_image(world: Arc<World>) {
    let one = world.image("one", App::Runs).await;
    let two = world.image("two", App::Runs).await;
    let other = world.image("other", App::Exits(1)).await;
    let id = async |tag: &str| world.engine.find_image(tag).await.unwrap().unwrap().id;
    assert_eq!(id(&one).await, id(&two).await);
    assert_ne!(id(&one).await, id(&other).await);
}

pub async fn a_tag_goes_and_the_image_stays_for_the_other(world: Arc<World>) {
    let one = world.image("one", App::Runs).await;
    let two = world.image("two", App::Runs).await;
    assert!(world.engine.remove_image(&one).await.unwrap());
    assert_eq!(world.engine.find_image(&one).await.unwrap(), None);
    let left = world.engine.find_image(&two).await.unwrap().unwrap();
    assert!(world.engine.remove_image(&two).await.unwrap());
    assert_eq!(world.engine.find_image(&left.id.0).await.unwrap(), None);
    // By id it goes with all its tags.
    world.image("one", App::Runs).await;
    world.image("two", App::Runs).await;
    assert!(world.engine.remove_image(&left.id.0).await.unwrap());
    assert!(world.engine.list_images().await.unwrap().is_empty());
}

pub async fn an_image_in_use_stays(world: Arc<World>) {
    let tag = world.image("app", App::Runs).await;
    let id = world.engine.find_image(&tag).await.unwrap().unwrap().id;
    let spec = world.spec("web", &id.0);
    world.engine.create_container(&spec).await.unwrap();
    assert!(!world.engine.remove_image(&tag).await.unwrap());
    assert!(!world.engine.remove_image(&id.0).await.unwrap());
    assert!(world.engine.find_image(&tag).await.unwrap().is_some(), "it keeps its tag");
    // The tag goes to a newer image. The engine's own store keeps the old one without a tag; containerd's forgets it, and its containers live on.
    let newer = format!("{}LABEL a=b\n", App::Runs.dockerfile());
    build(&*world.engine, request(&tag), context::busybox(&newer, &[])).await.0.unwrap();
    let kept = !world.forgets_untagged_images().await;
    let images = world.engine.list_images().await.unwrap();
    assert_eq!(images.iter().any(|image| image.id == id && image.tags.is_empty()), kept, "{id:?} {images:?}");
    assert!(!world.engine.remove_image(&id.0).await.unwrap());
    world.network().await;
    world.engine.start_container(&spec.name).await.unwrap();
    world.engine.remove_container(&spec.name).await.unwrap();
    assert_eq!(world.engine.remove_image(&id.0).await.unwrap(), kept);
    assert_eq!(world.engine.find_image(&id.0).await.unwrap(), None);
}
