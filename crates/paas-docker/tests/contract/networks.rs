use std::{collections::BTreeMap, sync::Arc};

use paas_docker::{NetworkSpec, label};

use crate::common::{App, World, refusal};

fn spec(world: &World) -> NetworkSpec {
    let labels = BTreeMap::from([(label::APP.to_owned(), "7".to_owned())]);
    NetworkSpec { name: world.name("net"), subnet: world.subnet.clone(), labels }
}

pub async fn a_network_is_made_once(world: Arc<World>) {
    let spec = spec(&world);
    for _ in 0..2 {
        world.engine.ensure_network(&spec).await.unwrap();
    }
    let networks = world.engine.list_networks().await.unwrap();
    assert_eq!(networks.len(), 1);
    assert_eq!(networks[0].name, spec.name);
    assert_eq!(
        (networks[0].labels[label::APP].as_str(), &networks[0].labels[label::INSTANCE]),
        ("7", &world.id)
    );
    for _ in 0..2 {
        world.engine.remove_network(&spec.name).await.unwrap();
    }
    assert!(world.engine.list_networks().await.unwrap().is_empty());
}

pub async fn another_subnet_is_refused_naming_both(world: Arc<World>) {
    let mut spec = spec(&world);
    let with = |subnet: &str| NetworkSpec { subnet: subnet.to_owned(), ..spec.clone() };
    world.engine.ensure_network(&spec).await.unwrap();
    let message = refusal(world.engine.ensure_network(&with("10.79.255.0/25")).await);
    assert!(message.contains(&world.subnet) && message.contains("10.79.255.0/25"), "{message}");
    assert!(refusal(world.engine.ensure_network(&with("10.79.255.1/24")).await).contains("10.79.255.1/24"));
    spec.name = world.name("second");
    assert!(refusal(world.engine.ensure_network(&spec).await).contains("overlaps"));
}

pub async fn a_network_in_use_stays(world: Arc<World>) {
    let container = world.running("web", App::Runs).await;
    assert!(refusal(world.engine.remove_network(&container.network).await).contains("active endpoints"));
    world.engine.remove_container(&container.name).await.unwrap();
    world.engine.remove_network(&container.network).await.unwrap();
}

pub async fn two_at_once_make_one(world: Arc<World>) {
    let spec = spec(&world);
    let (one, two) = tokio::join!(world.engine.ensure_network(&spec), world.engine.ensure_network(&spec));
    one.unwrap();
    two.unwrap();
    assert_eq!(world.engine.list_networks().await.unwrap().len(), 1);
}
