use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use paas_docker::{ContainerExit, ContainerState, EngineError, RestartPolicy, label};

use crate::common::{App, World, is_foreign, is_not_found, refusal};

const GRACE: Duration = Duration::from_secs(30);

pub async fn calls_may_be_repeated(world: Arc<World>) {
    let engine = &world.engine;
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let mut spec = world.spec("web", &image);
    spec.address = Some(world.address(77));
    for _ in 0..2 {
        engine.create_container(&spec).await.unwrap();
    }
    let created = engine.find_container(&spec.name).await.unwrap().unwrap();
    assert_eq!((created.state, created.exit, created.address), (ContainerState::Created, None, None));
    assert_eq!(created.started_at, None);
    for _ in 0..2 {
        engine.start_container(&spec.name).await.unwrap();
    }
    let running = engine.find_container(&spec.name).await.unwrap().unwrap();
    assert_eq!((running.state, running.exit), (ContainerState::Running, None));
    assert_eq!(running.address, spec.address);
    assert_eq!(running.labels[label::CONTAINER], "1");
    assert_eq!(running.labels[label::INSTANCE], world.id);
    assert!(running.started_at.is_some());
    world.printed(&spec.name, "three", 1).await;
    let listed = engine.list_containers().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].name.as_str(), listed[0].address), (spec.name.as_str(), spec.address));
    for _ in 0..2 {
        engine.stop_container(&spec.name, GRACE).await.unwrap();
    }
    let stopped = ContainerExit { code: 143, out_of_memory: false };
    let found = engine.find_container(&spec.name).await.unwrap().unwrap();
    assert_eq!((found.state, found.exit, found.address), (ContainerState::Exited, Some(stopped), None));
    assert_eq!(engine.list_containers().await.unwrap()[0].exit, Some(stopped));
    engine.start_container(&spec.name).await.unwrap();
    for _ in 0..2 {
        engine.remove_container(&spec.name).await.unwrap();
    }
    assert_eq!(engine.find_container(&spec.name).await.unwrap(), None);
    assert!(engine.list_containers().await.unwrap().is_empty());
}

pub async fn an_absent_container_is_stopped_and_removed(world: Arc<World>) {
    let (engine, name) = (&world.engine, world.name("absent"));
    engine.stop_container(&name, GRACE).await.unwrap();
    engine.remove_container(&name).await.unwrap();
    assert_eq!(engine.find_container(&name).await.unwrap(), None);
    assert!(is_not_found(&engine.start_container(&name).await));
    assert!(is_not_found(&engine.wait_container(&name).await));
    assert!(is_not_found(&engine.set_restart_policy(&name, RestartPolicy::Never).await));
}

pub async fn the_same_row_is_adopted_and_another_is_not(world: Arc<World>) {
    let spec = world.running("web", App::Runs).await;
    // As after a lost answer, or a control that came back: whatever state it is in by now.
    world.engine.create_container(&spec).await.unwrap();
    assert_eq!(
        world.engine.find_container(&spec.name).await.unwrap().unwrap().state,
        ContainerState::Running
    );
    let mut other = spec.clone();
    other.labels.insert(label::CONTAINER.to_owned(), "2".to_owned());
    assert!(is_foreign(&world.engine.create_container(&other).await));
}

pub async fn two_creations_at_once_make_one(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let spec = world.spec("web", &image);
    let (one, two) = tokio::join!(world.engine.create_container(&spec), world.engine.create_container(&spec));
    one.unwrap();
    two.unwrap();
    assert_eq!(world.engine.list_containers().await.unwrap().len(), 1);
}

pub async fn a_created_container_has_ended(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let spec = world.spec("web", &image);
    world.engine.create_container(&spec).await.unwrap();
    let exit = world.engine.wait_container(&spec.name).await.unwrap();
    assert_eq!(exit, ContainerExit { code: 0, out_of_memory: false });
}

pub async fn an_exit_code_is_told(world: Arc<World>) {
    let spec = world.running("job", App::Exits(7)).await;
    let exit = ContainerExit { code: 7, out_of_memory: false };
    for _ in 0..2 {
        assert_eq!(world.engine.wait_container(&spec.name).await.unwrap(), exit);
    }
    let found = world.engine.find_container(&spec.name).await.unwrap().unwrap();
    assert_eq!((found.state, found.exit), (ContainerState::Exited, Some(exit)));
    assert_eq!(world.engine.list_containers().await.unwrap()[0].exit, Some(exit));
}

pub async fn a_stop_ends_the_wait(world: Arc<World>) {
    let spec = world.running("web", App::Runs).await;
    world.printed(&spec.name, "three", 1).await;
    let (exit, stop) =
        tokio::join!(world.engine.wait_container(&spec.name), world.engine.stop_container(&spec.name, GRACE));
    stop.unwrap();
    assert_eq!(exit.unwrap(), ContainerExit { code: 143, out_of_memory: false });
}

pub async fn what_ignores_the_signal_is_killed(world: Arc<World>) {
    let spec = world.running("web", App::IgnoresTerm).await;
    // The trap is set before this line.
    world.printed(&spec.name, "ready", 1).await;
    world.engine.stop_container(&spec.name, Duration::from_millis(200)).await.unwrap();
    let exit = world.engine.wait_container(&spec.name).await.unwrap();
    assert_eq!(exit, ContainerExit { code: 137, out_of_memory: false });
}

pub async fn a_removal_ends_the_wait(world: Arc<World>) {
    let spec = world.running("web", App::Runs).await;
    let waiting = {
        let (world, name) = (Arc::clone(&world), spec.name.clone());
        tokio::spawn(async move { world.engine.wait_container(&name).await })
    };
    world.engine.remove_container(&spec.name).await.unwrap();
    match waiting.await.unwrap() {
        // Depending on who was first; never hanging.
        Ok(exit) => assert_eq!(exit, ContainerExit { code: 137, out_of_memory: false }),
        Err(error) => assert!(matches!(error, EngineError::NotFound(_)), "{error:?}"),
    }
}

pub async fn memory_is_told_apart(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Eats).await;
    let mut spec = world.spec("web", &image);
    spec.memory_bytes = Some(16 << 20);
    world.engine.create_container(&spec).await.unwrap();
    let mut exit = None;
    // An engine that is told of the end before it is told of the reason never shows the reason; on a busy machine 20.10 sometimes is.
    for _ in 0..5 {
        world.engine.start_container(&spec.name).await.unwrap();
        let waited = world.engine.wait_container(&spec.name).await.unwrap();
        assert_eq!(waited.code, 137);
        assert_eq!(world.engine.find_container(&spec.name).await.unwrap().unwrap().exit, Some(waited));
        exit = Some(waited);
        if waited.out_of_memory {
            break;
        }
    }
    assert_eq!(exit, Some(ContainerExit { code: 137, out_of_memory: true }));
}

pub async fn a_crash_restarts_only_with_the_policy(world: Arc<World>) {
    let engine = &world.engine;
    let spec = world.running("web", App::Runs).await;
    engine.set_restart_policy(&spec.name, RestartPolicy::UnlessStopped).await.unwrap();
    let mut events = engine.events().await.unwrap();
    world.printed(&spec.name, "three", 1).await;
    world.crash(&spec.name).await;
    assert_eq!(events.next().await.unwrap().unwrap().action, "die");
    assert_eq!(events.next().await.unwrap().unwrap().action, "start");
    assert_eq!(engine.find_container(&spec.name).await.unwrap().unwrap().restart_count, 1);
    engine.set_restart_policy(&spec.name, RestartPolicy::Never).await.unwrap();
    world.printed(&spec.name, "three", 2).await;
    world.crash(&spec.name).await;
    let exit = engine.wait_container(&spec.name).await.unwrap();
    assert_eq!(exit, ContainerExit { code: 137, out_of_memory: false });
    assert_eq!(engine.find_container(&spec.name).await.unwrap().unwrap().state, ContainerState::Exited);
}

pub async fn what_is_missing_is_named(world: Arc<World>) {
    let engine = &world.engine;
    let mut spec = world.spec("web", &world.tag("nothing"));
    let error = engine.create_container(&spec).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the engine has no image {}", world.tag("nothing")));
    spec.image = world.image("app", App::Runs).await;
    spec.mounts = vec![(world.name("data"), "/data".to_owned())];
    let error = engine.create_container(&spec).await.unwrap_err();
    assert_eq!(error.to_string(), format!("the engine has no volume {}", world.name("data")));
    spec.mounts.clear();
    engine.create_container(&spec).await.unwrap();
    // Its network was never made.
    assert!(refusal(engine.start_container(&spec.name).await).contains(&world.name("net")));
}

pub async fn a_fixed_address_is_taken_once(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    for (what, ok) in [("one", true), ("two", false)] {
        let mut spec = world.spec(what, &image);
        spec.address = Some(world.address(5));
        world.engine.create_container(&spec).await.unwrap();
        let started = world.engine.start_container(&spec.name).await;
        if ok {
            started.unwrap();
        } else {
            let message = refusal(started);
            assert!(message.ends_with("Address already in use"), "{message}");
        }
    }
}

pub async fn names_cannot_reach_other_endpoints(world: Arc<World>) {
    for name in ["../info", "a/b", "x?force=1", ""] {
        refusal(world.engine.remove_container(name).await);
        refusal(world.engine.find_container(name).await);
        refusal(world.engine.remove_volume(name).await);
        refusal(world.engine.remove_network(name).await);
        assert_eq!(world.engine.find_image(name).await.unwrap(), None);
    }
}
