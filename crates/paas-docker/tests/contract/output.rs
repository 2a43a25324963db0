use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use paas_docker::{LogLine, LogsRequest, label};

use crate::common::{App, World};

async fn texts(world: &World, name: &str, request: LogsRequest) -> Vec<String> {
    let lines: Vec<LogLine> =
        world.engine.logs(name, request).await.unwrap().map(|line| line.unwrap()).collect().await;
    assert!(
        lines.iter().all(|line| !line.stderr && line.timestamp.is_some() == request.timestamps),
        "{lines:?}"
    );
    lines.into_iter().map(|line| line.text).collect()
}

pub async fn a_log_has_its_last_lines(world: Arc<World>) {
    let spec = world.running("web", App::Runs).await;
    let all = LogsRequest { follow: false, tail: None, timestamps: false };
    // The last line is out before the rest is asked for.
    world.printed(&spec.name, "three", 1).await;
    assert_eq!(texts(&world, &spec.name, all).await, ["one", "two", "three"]);
    assert_eq!(texts(&world, &spec.name, LogsRequest { tail: Some(2), ..all }).await, ["two", "three"]);
    assert_eq!(
        texts(&world, &spec.name, LogsRequest { tail: Some(9), timestamps: true, ..all }).await.len(),
        3
    );
    assert!(texts(&world, &spec.name, LogsRequest { tail: Some(0), ..all }).await.is_empty());
    world.engine.stop_container(&spec.name, Duration::from_secs(30)).await.unwrap();
    assert_eq!(texts(&world, &spec.name, all).await, ["one", "two", "three"]);
}

pub async fn a_followed_log_ends_with_the_container(world: Arc<World>) {
    let spec = world.running("web", App::Runs).await;
    let request = LogsRequest { follow: true, tail: None, timestamps: false };
    let mut log = world.engine.logs(&spec.name, request).await.unwrap();
    for expected in ["one", "two", "three"] {
        assert_eq!(log.next().await.unwrap().unwrap().text, expected);
    }
    world.engine.stop_container(&spec.name, Duration::from_secs(30)).await.unwrap();
    assert!(log.next().await.is_none());
    let gone = world.engine.logs(&world.name("absent"), request).await;
    assert!(matches!(gone, Err(paas_docker::EngineError::NotFound(_))));
}

pub async fn events_tell_a_life_in_order(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let mut events = world.engine.events().await.unwrap();
    // Another installation's container makes no noise here.
    let other = world.spec("other", &image);
    world.other.create_container(&other).await.unwrap();
    world.other.start_container(&other.name).await.unwrap();
    let spec = world.spec("web", &image);
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    world.engine.stop_container(&spec.name, Duration::from_secs(30)).await.unwrap();
    world.engine.remove_container(&spec.name).await.unwrap();
    for expected in ["start", "die", "destroy"] {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!((event.action.as_str(), event.container.as_str()), (expected, spec.name.as_str()));
        assert_eq!(
            (event.labels[label::CONTAINER].as_str(), &event.labels[label::INSTANCE]),
            ("1", &world.id)
        );
    }
}
