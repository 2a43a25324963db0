use std::{collections::BTreeMap, net::Ipv4Addr, pin::Pin, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use paas_domain::Secret;
use tokio::sync::mpsc;

use crate::error::{BuildError, EngineError};

/// A build context: the bytes of a tar, as they are made.
pub type ContextStream = Pin<Box<dyn Stream<Item = std::io::Result<Bytes>> + Send>>;

/// Log lines of a container, oldest first.
pub type LogStream = Pin<Box<dyn Stream<Item = Result<LogLine, EngineError>> + Send>>;

/// Changes to containers of this instance, as they happen.
pub type EventStream = Pin<Box<dyn Stream<Item = Result<EngineEvent, EngineError>> + Send>>;

/// The container engine, as far as a deploy and the reconciler need it.
///
/// Every `ensure_*`, `create_container` and `remove_*` may be repeated after a crash or a lost answer: what is already so is success.
/// Lists and `find_*` see only what bears this instance's label. Containers are addressed by their deterministic *name*.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// The engine's version and where it keeps its data. The cheapest call that shows that the engine answers.
    async fn info(&self) -> Result<EngineInfo, EngineError>;

    /// Builds an image with `BuildKit` from a streamed context. Lines of progress go to `output` as they come; a full channel slows the build's
    /// log, never loses a line. Dropping the returned future cancels the build in the engine.
    async fn build(
        &self,
        request: BuildRequest,
        context: ContextStream,
        output: mpsc::Sender<BuildOutput>,
    ) -> Result<ImageId, BuildError>;

    /// The image of that id or tag, if the engine has it (ours or not: an app's release may be a foreign image).
    async fn find_image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError>;
    /// Images that bear our instance label.
    async fn list_images(&self) -> Result<Vec<ImageSummary>, EngineError>;
    /// Removes an image with its tags; absent or still used by a container is success (`Ok(false)`).
    async fn remove_image(&self, reference: &str) -> Result<bool, EngineError>;

    /// Makes the network of that name and subnet unless it is there.
    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<(), EngineError>;
    /// Names and labels of our networks.
    async fn list_networks(&self) -> Result<Vec<Labelled>, EngineError>;
    /// Removes one of our networks; absent is success.
    async fn remove_network(&self, name: &str) -> Result<(), EngineError>;

    /// Makes the volume of that name unless it is there.
    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<(), EngineError>;
    /// Names and labels of our volumes.
    async fn list_volumes(&self) -> Result<Vec<Labelled>, EngineError>;
    /// Removes one of our volumes with its data; absent is success, in use is an error.
    async fn remove_volume(&self, name: &str) -> Result<(), EngineError>;

    /// Creates a container, stopped. If one of that name with our instance label and the same `dev.paas.container` label exists, it is adopted.
    async fn create_container(&self, spec: &ContainerSpec) -> Result<(), EngineError>;
    /// Starts it; already running is success.
    async fn start_container(&self, name: &str) -> Result<(), EngineError>;
    /// SIGTERM, then SIGKILL after `grace`; absent or stopped is success.
    async fn stop_container(&self, name: &str, grace: Duration) -> Result<(), EngineError>;
    /// Kills and removes it (never its named volumes); absent is success.
    async fn remove_container(&self, name: &str) -> Result<(), EngineError>;
    /// Resolves when the container is not running any more.
    async fn wait_container(&self, name: &str) -> Result<ContainerExit, EngineError>;
    /// Changes what the engine does when the container's main process ends.
    async fn set_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), EngineError>;
    /// One of our containers, if it is there.
    async fn find_container(&self, name: &str) -> Result<Option<ContainerInfo>, EngineError>;
    /// Our containers, in every state.
    async fn list_containers(&self) -> Result<Vec<ContainerInfo>, EngineError>;
    /// The container's output. With `follow` the stream ends when the container does.
    async fn logs(&self, name: &str, request: LogsRequest) -> Result<LogStream, EngineError>;
    /// Start, die, oom and destroy of our containers, from now on.
    async fn events(&self) -> Result<EventStream, EngineError>;
}

/// What the engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// For example `20.10.24`.
    pub version: String,
    /// For example `1.41`.
    pub api_version: String,
    /// Where images and volumes are kept, for the free-space check.
    pub root_dir: String,
}

/// What to build and how.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The tag the image gets.
    pub tag: String,
    /// Labels the image gets, the instance label among them.
    pub labels: BTreeMap<String, String>,
    /// Path of the Dockerfile inside the context.
    pub dockerfile: String,
    /// Build args the user asked for by name; config vars are never among them by themselves.
    pub args: BTreeMap<String, String>,
    /// What `RUN --mount=type=secret,id=…` can read. Only ids the build asks for ever leave this process.
    pub secrets: BTreeMap<String, Secret>,
}

/// One line of a running build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildOutput {
    /// A step began, as BuildKit names it: `[2/5] RUN make`. `cached` when nothing had to be done.
    Step {
        /// BuildKit's name of the step.
        name: String,
        /// Taken from the cache.
        cached: bool,
    },
    /// A line the step printed.
    Line(String),
    /// A warning of BuildKit's.
    Warning(String),
}

/// An image's id, `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageId(pub String);

/// What a deploy reads from an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageInfo {
    /// Its id.
    pub id: ImageId,
    /// `EXPOSE`d TCP ports, in numeric order.
    pub exposed_tcp_ports: Vec<u16>,
    /// `VOLUME` paths, in order.
    pub volumes: Vec<String>,
    /// Whether it has a CMD or ENTRYPOINT: without either only a Procfile can start it.
    pub has_command: bool,
    /// The image's ENTRYPOINT, empty without one.
    pub entrypoint: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// One of our images in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSummary {
    /// Its id.
    pub id: ImageId,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// A name and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The engine's name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A bridge network of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Name.
    pub name: String,
    /// CIDR, `10.208.3.0/24`; the gateway is the first address.
    pub subnet: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A named volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSpec {
    /// Name.
    pub name: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A container to create. What is not named here is the same for every container of ours and is set by the engine implementation: no new
/// privileges, a small capability set, an init process, a pids limit, the log driver `local` with 3 files of 10 MB.
#[derive(Debug, Clone)]
pub struct ContainerSpec {
    /// Deterministic name.
    pub name: String,
    /// Image id or tag.
    pub image: String,
    /// Replaces the image's command when given. The image's ENTRYPOINT stays.
    pub command: Option<Vec<String>>,
    /// Environment.
    pub env: BTreeMap<String, Secret>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The app's network.
    pub network: String,
    /// Fixed address in that network.
    pub address: Option<Ipv4Addr>,
    /// Names other containers of the network find it by.
    pub aliases: Vec<String>,
    /// Volume name and absolute path, each read-write.
    pub mounts: Vec<(String, String)>,
    /// Restart policy.
    pub restart: RestartPolicy,
    /// Memory limit in bytes, none by default.
    pub memory_bytes: Option<u64>,
    /// The hostname inside.
    pub hostname: String,
}

/// What the engine does when the main process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartPolicy {
    /// One-off containers, and new ones until they have proven healthy.
    Never,
    /// Running apps: the engine brings them back, also after a reboot and while paas is down.
    UnlessStopped,
}

/// Where a container stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerInfo {
    /// Its name, without the leading slash.
    pub name: String,
    /// Its state.
    pub state: ContainerState,
    /// How it ended last, when it is not running.
    pub exit: Option<ContainerExit>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Address in its first network while running.
    pub address: Option<Ipv4Addr>,
    /// Process id of its main process on the server while it runs (`None` in lists: the engine says it only of one).
    pub pid: Option<u32>,
    /// How often the engine restarted it (0 in lists: the engine says it only of one).
    pub restart_count: u64,
    /// Start time as the engine prints it (RFC 3339), if ever started.
    pub started_at: Option<String>,
}

/// The engine's word for where a container stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerState {
    /// Created, never started.
    Created,
    /// Running.
    Running,
    /// Paused.
    Paused,
    /// Ended and waiting for its restart policy.
    Restarting,
    /// Ended.
    Exited,
    /// Half removed, or being removed.
    Dead,
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerExit {
    /// Exit code; 128 + n for signal n.
    pub code: i64,
    /// The kernel killed it for memory.
    pub out_of_memory: bool,
}

/// Which log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogsRequest {
    /// Go on as lines come.
    pub follow: bool,
    /// Only the last so many lines of what is there; `None` is all.
    pub tail: Option<u32>,
    /// With the engine's time stamps.
    pub timestamps: bool,
}

/// One line of a container's output, without its newline, lossily UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Whether it came from standard error.
    pub stderr: bool,
    /// RFC 3339 time, when asked for.
    pub timestamp: Option<String>,
    /// The text.
    pub text: String,
}

/// A change to one of our containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEvent {
    /// `start`, `die`, `oom`, `destroy`.
    pub action: String,
    /// The container's name.
    pub container: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}
