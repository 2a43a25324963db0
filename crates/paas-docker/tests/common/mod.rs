//! The world a contract test runs in: the fake engine, or the real one with things of a name and an instance of their own.

#![allow(dead_code, unreachable_pub, reason = "each test file uses a part")]

pub mod app;
pub mod context;

use std::{collections::BTreeMap, future::Future, net::Ipv4Addr, sync::Arc, time::Duration};

use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::{StreamExt as _, future::ready};
use paas_docker::{
    BuildOutput, BuildRequest, ContainerSpec, ContextStream, DockerEngine, Engine, EngineError, FakeEngine,
    LogsRequest, NetworkSpec, RestartPolicy, label,
};
use tokio::sync::mpsc;

pub use app::App;

/// The path of the socket of another engine than the machine's own.
const SOCKET: &str = "PAAS_TEST_DOCKER_SOCKET";

/// Longer than anything here takes on a busy machine; a test that gets there has failed.
pub const DEADLINE: Duration = Duration::from_mins(1);

pub struct World {
    pub engine: Arc<dyn Engine>,
    /// The same engine, seen by another installation.
    pub other: Arc<dyn Engine>,
    pub fake: Option<FakeEngine>,
    /// In every name.
    pub id: String,
    pub subnet: String,
}

impl World {
    pub fn fake() -> Self {
        let (id, subnet) = identity();
        let fake = FakeEngine::new(id.as_str());
        let other = fake.seen_by(format!("{id}-other"));
        Self { engine: Arc::new(fake.clone()), other: Arc::new(other), fake: Some(fake), id, subnet }
    }

    /// `None`, with the reason printed, when no engine answers.
    pub async fn docker() -> Option<Self> {
        let (id, subnet) = identity();
        let socket = socket();
        let engine = DockerEngine::connect(&socket, id.clone());
        if let Err(error) = engine.info().await {
            assert!(std::env::var_os("PAAS_REQUIRE_DOCKER").is_none(), "no Docker Engine: {error}");
            println!("skipped: no Docker Engine answers on {socket}: {error}");
            return None;
        }
        let other = DockerEngine::connect(&socket, format!("{id}-other"));
        Some(Self { engine: Arc::new(engine), other: Arc::new(other), fake: None, id, subnet })
    }

    pub fn name(&self, what: &str) -> String {
        format!("paas-test-{}-{what}", self.id)
    }

    pub fn tag(&self, what: &str) -> String {
        format!("paas-test/{}:{what}", self.id)
    }

    /// The n-th address of the network.
    pub fn address(&self, n: u8) -> Ipv4Addr {
        let [a, b, c, _] = self.subnet.trim_end_matches("/24").parse::<Ipv4Addr>().unwrap().octets();
        Ipv4Addr::new(a, b, c, n)
    }

    /// The world's network.
    pub async fn network(&self) -> String {
        let spec =
            NetworkSpec { name: self.name("net"), subnet: self.subnet.clone(), labels: BTreeMap::new() };
        self.engine.ensure_network(&spec).await.unwrap();
        spec.name
    }

    /// An image that behaves so, under the tag `what`.
    pub async fn image(&self, what: &str, app: App) -> String {
        self.image_of(&self.engine, what, app).await
    }

    pub async fn image_of(&self, engine: &Arc<dyn Engine>, what: &str, app: App) -> String {
        let tag = self.tag(what);
        if let Some(fake) = &self.fake {
            fake.script_container(paas_docker::fake::FakeWhen::Image(tag.clone()), app.behaviour());
        }
        let context = context::busybox(&app.dockerfile(), &[]);
        let (output, log) = mpsc::channel(64);
        let result = engine.build(request(&tag), context, output);
        let (result, _) = tokio::join!(result, drain(log));
        result.unwrap();
        tag
    }

    /// A container of the world's network, for row 1.
    pub fn spec(&self, what: &str, image: &str) -> ContainerSpec {
        ContainerSpec {
            name: self.name(what),
            image: image.to_owned(),
            command: None,
            env: BTreeMap::new(),
            labels: BTreeMap::from([(label::CONTAINER.to_owned(), "1".to_owned())]),
            network: self.name("net"),
            address: None,
            aliases: Vec::new(),
            mounts: Vec::new(),
            restart: RestartPolicy::Never,
            memory_bytes: None,
            hostname: what.to_owned(),
        }
    }

    /// A created and started container with its network and image.
    pub async fn running(&self, what: &str, app: App) -> ContainerSpec {
        self.network().await;
        let image = self.image(what, app).await;
        let spec = self.spec(what, &image);
        self.engine.create_container(&spec).await.unwrap();
        self.engine.start_container(&spec.name).await.unwrap();
        spec
    }

    /// Returns when the container has printed a line so many times: what printed it runs, and its init process can be told to end.
    pub async fn printed(&self, name: &str, line: &str, times: usize) {
        let follow = LogsRequest { follow: true, tail: None, timestamps: false };
        let lines = self.engine.logs(name, follow).await.unwrap();
        let found =
            lines.filter(|printed| ready(printed.as_ref().unwrap().text == line)).take(times).count().await;
        assert_eq!(found, times, "{name} ended before it had printed {line}");
    }

    /// Ends the container's process as a crash does.
    pub async fn crash(&self, name: &str) {
        match &self.fake {
            Some(fake) => {
                assert!(
                    fake.exit_container(name, paas_docker::ContainerExit { code: 137, out_of_memory: false })
                );
            }
            None => app::kill_inside(name).await,
        }
    }

    /// Whether an image goes when its only tag does, even while a container is made of it: so it is with containerd's store, Engine 29's usual one.
    pub async fn forgets_untagged_images(&self) -> bool {
        if self.fake.is_some() {
            return false;
        }
        let status = docker().info().await.unwrap().driver_status.unwrap_or_default();
        status.iter().flatten().any(|word| word == "io.containerd.snapshotter.v1")
    }

    /// Removes all that either installation made.
    pub async fn clean_up(&self) {
        for engine in [&self.engine, &self.other] {
            for container in engine.list_containers().await.unwrap() {
                engine.remove_container(&container.name).await.unwrap();
            }
        }
        for engine in [&self.engine, &self.other] {
            for network in engine.list_networks().await.unwrap() {
                engine.remove_network(&network.name).await.unwrap();
            }
            for volume in engine.list_volumes().await.unwrap() {
                engine.remove_volume(&volume.name).await.unwrap();
            }
            for image in engine.list_images().await.unwrap() {
                engine.remove_image(&image.id.0).await.unwrap();
            }
        }
    }
}

/// Where the engine listens.
pub fn socket() -> String {
    std::env::var(SOCKET).unwrap_or_else(|_| "/var/run/docker.sock".to_owned())
}

/// The engine without our code in between.
pub fn docker() -> Docker {
    Docker::connect_with_unix(&socket(), 60, API_DEFAULT_VERSION).unwrap()
}

/// Runs a test in a world and cleans up whatever came of it.
pub async fn within<F, T>(world: World, test: F)
where
    F: FnOnce(Arc<World>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let world = Arc::new(world);
    let result = tokio::spawn(tokio::time::timeout(DEADLINE, test(Arc::clone(&world)))).await;
    world.clean_up().await;
    match result {
        Ok(in_time) => in_time.expect("the test came to its deadline"),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

pub fn request(tag: &str) -> BuildRequest {
    BuildRequest {
        tag: tag.to_owned(),
        labels: BTreeMap::new(),
        dockerfile: "Dockerfile".to_owned(),
        args: BTreeMap::new(),
        secrets: BTreeMap::new(),
    }
}

/// Builds and returns the log with the result.
pub async fn build(
    engine: &dyn Engine,
    request: BuildRequest,
    context: ContextStream,
) -> (Result<paas_docker::ImageId, paas_docker::BuildError>, Vec<BuildOutput>) {
    // A small channel: a slow reader must lose nothing.
    let (output, log) = mpsc::channel(1);
    tokio::join!(engine.build(request, context, output), drain(log))
}

pub async fn drain(mut log: mpsc::Receiver<BuildOutput>) -> Vec<BuildOutput> {
    let mut all = Vec::new();
    while let Some(line) = log.recv().await {
        all.push(line);
    }
    all
}

pub fn is_foreign<T>(result: &Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::Foreign(_)))
}

pub fn is_not_found<T>(result: &Result<T, EngineError>) -> bool {
    matches!(result, Err(EngineError::NotFound(_)))
}

/// The engine's message of a refusal.
pub fn refusal<T>(result: Result<T, EngineError>) -> String {
    match result {
        Err(EngineError::Refused { message, .. }) => message,
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}

/// A random id and a /24 out of 10.64.0.0/12: no other test of this run has it now, and hardly one of another run.
fn identity() -> (String, String) {
    let random: u64 = rand::random();
    // Of all tests that run at a time nextest gives each another slot.
    let slot = std::env::var("NEXTEST_TEST_GLOBAL_SLOT").ok().and_then(|slot| slot.parse().ok());
    let third = random & 0xc0 | slot.unwrap_or(random) & 0x3f;
    let subnet = format!("10.{}.{third}.0/24", 64 + (random >> 8) % 16);
    (format!("{random:016x}"), subnet)
}
