use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bollard::query_parameters::{ListVolumesOptions, RemoveContainerOptionsBuilder};
use futures_util::StreamExt;
use paas_docker::{ContainerSpec, Engine, LogsRequest, VolumeSpec, label};
use paas_domain::Secret;

use super::hardening::inspect;
use crate::common::{App, World, app, build, context, docker, request};

const ALL: LogsRequest = LogsRequest { follow: true, tail: None, timestamps: false };

/// What a container prints on standard output, to its end.
pub async fn stdout(engine: &dyn Engine, name: &str) -> Vec<String> {
    let lines = engine.logs(name, ALL).await.unwrap();
    let stdout = lines.map(|line| line.unwrap()).filter(|line| std::future::ready(!line.stderr));
    stdout.map(|line| line.text).collect().await
}

/// Runs a command to its end in a container of that image.
async fn run(world: &World, spec: &ContainerSpec) -> Vec<String> {
    world.engine.create_container(spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    world.engine.wait_container(&spec.name).await.unwrap();
    stdout(&*world.engine, &spec.name).await
}

fn shell(command: &str) -> Vec<String> {
    ["sh", "-c", command].map(str::to_owned).to_vec()
}

pub async fn the_environment_arrives_as_it_is(world: Arc<World>) {
    world.network().await;
    let mut spec = world.spec("job", &world.image("app", App::Runs).await);
    let value = "a\nb 'c' \"d\" $E `f` \\ ä =\n";
    let large = "x".repeat(64 * 1024);
    spec.env = BTreeMap::from([
        ("TEXT".to_owned(), Secret::new(value)),
        ("LARGE".to_owned(), Secret::new(large.as_str())),
        ("EMPTY".to_owned(), Secret::new("")),
    ]);
    spec.command = Some(shell(
        "printf %s \"$TEXT\" | od -An -tx1 -v | tr -d ' \\n'; echo; echo ${#LARGE}; echo [${EMPTY-unset}]",
    ));
    let expected: Vec<_> = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(run(&world, &spec).await, [expected.concat(), large.len().to_string(), "[]".to_owned()]);
}

/// Prints how long a container takes; slow only when something waits that should not.
pub async fn a_container_starts_quickly(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let mut times = Vec::new();
    for run in 0..8 {
        let spec = world.spec(&format!("web{run}"), &image);
        let began = Instant::now();
        world.engine.create_container(&spec).await.unwrap();
        let created = began.elapsed();
        world.engine.start_container(&spec.name).await.unwrap();
        times.push((began.elapsed(), created));
        world.engine.remove_container(&spec.name).await.unwrap();
    }
    times.sort();
    println!("create and start (of it create): fastest {:?}, median {:?}", times[0], times[4]);
    assert!(times[0].0 < Duration::from_secs(5), "{times:?}");
}

pub async fn a_volume_outlives_its_containers(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    let volume = VolumeSpec { name: world.name("data"), labels: BTreeMap::new() };
    for expected in ["1", "2"] {
        world.engine.ensure_volume(&volume).await.unwrap();
        let mut spec = world.spec(&format!("job{expected}"), &image);
        spec.mounts = vec![(volume.name.clone(), "/data".to_owned())];
        spec.command = Some(shell("echo x >> /data/file; wc -l < /data/file"));
        assert_eq!(run(&world, &spec).await, [expected]);
        world.engine.remove_container(&spec.name).await.unwrap();
    }
}

pub async fn anonymous_volumes_go_with_the_container(world: Arc<World>) {
    world.network().await;
    let dockerfile = format!("{}VOLUME /anonymous\n", App::Runs.dockerfile());
    let tag = world.tag("app");
    build(&*world.engine, request(&tag), context::busybox(&dockerfile, &[])).await.0.unwrap();
    let spec = world.spec("web", &tag);
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    let volume = inspect(&spec.name).await.mounts.unwrap()[0].name.clone().unwrap();
    world.engine.remove_container(&spec.name).await.unwrap();
    let docker = docker();
    let volumes = docker.list_volumes(None::<ListVolumesOptions>).await.unwrap().volumes.unwrap_or_default();
    assert!(volumes.iter().all(|left| left.name != volume));
}

pub async fn containers_of_a_network_find_each_other(world: Arc<World>) {
    let image = world.image("app", App::Runs).await;
    world.network().await;
    let mut spec = world.spec("db", &image);
    spec.aliases = vec!["db".to_owned()];
    spec.address = Some(world.address(42));
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    let mut asker = world.spec("job", &image);
    asker.command = Some(shell("nslookup db 2>&1"));
    let answer = run(&world, &asker).await.join("\n");
    assert!(answer.contains(&world.address(42).to_string()), "{answer}");
}

/// While the engine is still removing the old container of a name, creating and removing it wait for that and do not fail.
pub async fn a_name_being_freed_is_waited_for(world: Arc<World>) {
    let spec = world.running("web", App::Runs).await;
    for _ in 0..5 {
        let docker = docker();
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        let mut next = spec.clone();
        next.labels.insert(label::CONTAINER.to_owned(), "2".to_owned());
        let somebody = docker.remove_container(&spec.name, Some(options));
        let (_, ours) = tokio::join!(somebody, world.engine.remove_container(&spec.name));
        ours.unwrap();
        world.engine.create_container(&spec).await.unwrap();
        world.engine.start_container(&spec.name).await.unwrap();
    }
}

pub async fn long_and_partial_lines_are_whole(world: Arc<World>) {
    world.network().await;
    let mut spec = world.spec("job", &world.image("app", App::Runs).await);
    // The engine cuts at 16 KiB; the last line has no end, and is printed as the container ends.
    spec.command = Some(shell(
        "for n in 40000 5 20000; do head -c $n /dev/zero | tr '\\0' x; echo; done; echo; echo oops >&2; printf rest",
    ));
    world.engine.create_container(&spec).await.unwrap();
    world.engine.start_container(&spec.name).await.unwrap();
    for timestamps in [false, true] {
        let request = LogsRequest { timestamps, ..ALL };
        let lines: Vec<_> =
            world.engine.logs(&spec.name, request).await.unwrap().map(|l| l.unwrap()).collect().await;
        let (errors, output): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line.stderr);
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].text, "oops");
        let lengths: Vec<_> = output.iter().map(|line| line.text.len()).collect();
        assert_eq!(lengths, [40000, 5, 20000, 0, 4]);
        assert_eq!(output[4].text, "rest");
        assert!(output.iter().all(|line| line.timestamp.is_some() == timestamps));
    }
}

/// An engine that closes a followed log early must not cost the last lines: they say why a container ended.
pub async fn a_followed_log_has_its_last_lines(world: Arc<World>) {
    world.network().await;
    let image = world.image("app", App::Runs).await;
    for run in 0..8 {
        let mut spec = world.spec(&format!("job{run}"), &image);
        spec.command = Some(shell("seq 1 50; echo why >&2; printf end"));
        world.engine.create_container(&spec).await.unwrap();
        world.engine.start_container(&spec.name).await.unwrap();
        let lines =
            world.engine.logs(&spec.name, LogsRequest { tail: (run % 2 == 0).then_some(60), ..ALL }).await;
        let mut texts: Vec<_> = lines.unwrap().map(|line| line.unwrap().text).collect().await;
        // Two channels: their order among each other is the engine's.
        texts.retain(|text| text != "why");
        let expected: Vec<_> = (1..=50).map(|n| n.to_string()).chain(["end".to_owned()]).collect();
        assert_eq!(texts, expected, "run {run}");
        world.engine.remove_container(&spec.name).await.unwrap();
    }
}

pub async fn an_image_says_how_it_wants_to_run(world: Arc<World>) {
    let dockerfile = format!(
        "{}EXPOSE 8080 53/udp 443/tcp\nVOLUME [\"/b\", \"/a\"]\nENTRYPOINT [\"/bin/run\", \"x\"]\nLABEL k=v\n",
        app::base()
    );
    let (full, bare) = (world.tag("full"), world.tag("bare"));
    build(&*world.engine, request(&full), context::busybox(&dockerfile, &[])).await.0.unwrap();
    build(&*world.engine, request(&bare), context::only("FROM scratch\nCOPY Dockerfile /x\n"))
        .await
        .0
        .unwrap();
    let image = world.engine.find_image(&full).await.unwrap().unwrap();
    assert_eq!(image.exposed_tcp_ports, [443, 8080]);
    assert_eq!(image.volumes, ["/a", "/b"]);
    assert_eq!((image.has_command, image.entrypoint), (true, vec!["/bin/run".to_owned(), "x".to_owned()]));
    assert_eq!(image.labels["k"], "v");
    let image = world.engine.find_image(&bare).await.unwrap().unwrap();
    assert!(!image.has_command && image.entrypoint.is_empty() && image.exposed_tcp_ports.is_empty());
    // Nothing to run: the engine says so when the container is made.
    world.network().await;
    let error = world.engine.create_container(&world.spec("web", &bare)).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("no command specified"), "{error}");
    // A command that is not there is found missing by the init process, so the container starts and ends.
    let missing = world.spec("web", &full);
    world.engine.create_container(&missing).await.unwrap();
    world.engine.start_container(&missing.name).await.unwrap();
    assert_eq!(world.engine.wait_container(&missing.name).await.unwrap().code, 127);
    let log: Vec<_> =
        world.engine.logs(&missing.name, ALL).await.unwrap().map(|l| l.unwrap().text).collect().await;
    assert!(log.join("\n").contains("/bin/run"), "{log:?}");
}
