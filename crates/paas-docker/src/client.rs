use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
    time::Duration,
};

use async_trait::async_trait;
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::sync::mpsc;

use crate::{
    build, containers,
    engine::{
        BuildOutput, BuildRequest, ContainerExit, ContainerInfo, ContainerSpec, ContextStream, Engine,
        EngineInfo, EventStream, ImageId, ImageInfo, ImageSummary, Labelled, LogStream, LogsRequest,
        NetworkSpec, RestartPolicy, VolumeSpec,
    },
    error::{BuildError, EngineError},
    events,
    failure::{engine_error, protocol},
    images, logs, networks, volumes,
};

/// The longest one call may take. It covers a container's grace at `stop` and the wait for its exit, so it is generous.
const TIMEOUT_SECONDS: u64 = 3600;

/// The Docker Engine behind a Unix socket, as one instance of paas sees it.
///
/// Requests carry no API version, so every engine from 20.10 (API 1.41) on answers in its newest. Each request has a connection of its own; none
/// is kept while nothing is asked.
#[derive(Debug)]
pub struct DockerEngine {
    socket: PathBuf,
    instance: String,
    docker: OnceLock<Docker>,
    /// Two calls that make the same network at once would make it twice.
    pub(crate) making_network: tokio::sync::Mutex<()>,
}

impl DockerEngine {
    /// An engine at that socket for that instance. Nothing is asked yet: an engine that is down shows in the first call, and one that comes back
    /// later is simply used.
    pub fn connect(socket_path: impl AsRef<Path>, instance_id: String) -> Self {
        Self {
            socket: socket_path.as_ref().to_owned(),
            instance: instance_id,
            docker: OnceLock::new(),
            making_network: tokio::sync::Mutex::new(()),
        }
    }

    /// The instance whose things are ours.
    pub fn instance_id(&self) -> &str {
        &self.instance
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn docker(&self) -> Result<&Docker, EngineError> {
        if let Some(docker) = self.docker.get() {
            return Ok(docker);
        }
        let path = self.socket.to_string_lossy();
        let docker = Docker::connect_with_unix(&path, TIMEOUT_SECONDS, API_DEFAULT_VERSION)
            .map_err(|error| engine_error("connect", error))?;
        Ok(self.docker.get_or_init(|| docker))
    }
}

#[async_trait]
impl Engine for DockerEngine {
    async fn info(&self) -> Result<EngineInfo, EngineError> {
        let docker = self.docker()?;
        let action = "say its version";
        let (version, info) =
            tokio::try_join!(docker.version(), docker.info()).map_err(|error| engine_error(action, error))?;
        match (version.version, version.api_version, info.docker_root_dir) {
            (Some(version), Some(api_version), Some(root_dir)) => {
                Ok(EngineInfo { version, api_version, root_dir })
            }
            _ => Err(protocol(action, "the version or the data directory is missing")),
        }
    }

    async fn build(
        &self,
        request: BuildRequest,
        context: ContextStream,
        output: mpsc::Sender<BuildOutput>,
    ) -> Result<ImageId, BuildError> {
        build::run(self, request, context, output).await
    }

    async fn find_image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        images::find(self, reference).await
    }

    async fn list_images(&self) -> Result<Vec<ImageSummary>, EngineError> {
        images::list(self).await
    }

    async fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        images::remove(self, reference).await
    }

    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<(), EngineError> {
        networks::ensure(self, spec).await
    }

    async fn list_networks(&self) -> Result<Vec<Labelled>, EngineError> {
        networks::list(self).await
    }

    async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        networks::remove(self, name).await
    }

    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<(), EngineError> {
        volumes::ensure(self, spec).await
    }

    async fn list_volumes(&self) -> Result<Vec<Labelled>, EngineError> {
        volumes::list(self).await
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        volumes::remove(self, name).await
    }

    async fn create_container(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        containers::create(self, spec).await
    }

    async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        containers::start(self, name).await
    }

    async fn stop_container(&self, name: &str, grace: Duration) -> Result<(), EngineError> {
        containers::stop(self, name, grace).await
    }

    async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        containers::remove(self, name).await
    }

    async fn wait_container(&self, name: &str) -> Result<ContainerExit, EngineError> {
        containers::wait(self, name).await
    }

    async fn set_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), EngineError> {
        containers::set_restart_policy(self, name, policy).await
    }

    async fn find_container(&self, name: &str) -> Result<Option<ContainerInfo>, EngineError> {
        containers::find(self, name).await
    }

    async fn list_containers(&self) -> Result<Vec<ContainerInfo>, EngineError> {
        containers::list(self).await
    }

    async fn logs(&self, name: &str, request: LogsRequest) -> Result<LogStream, EngineError> {
        logs::read(self, name, request).await
    }

    async fn events(&self) -> Result<EventStream, EngineError> {
        events::watch(self).await
    }
}
