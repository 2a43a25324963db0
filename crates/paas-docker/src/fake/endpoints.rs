//! The fake engine as an [`Engine`].

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{FakeCall, FakeEngine};
use crate::{
    engine::{
        BuildOutput, BuildRequest, ContainerExit, ContainerInfo, ContainerSpec, ContextStream, Engine,
        EngineInfo, EventStream, ImageId, ImageInfo, ImageSummary, Labelled, LogStream, LogsRequest,
        NetworkSpec, RestartPolicy, VolumeSpec,
    },
    error::{BuildError, EngineError},
};

#[async_trait]
impl Engine for FakeEngine {
    async fn info(&self) -> Result<EngineInfo, EngineError> {
        let passage = self.enter(FakeCall::Info, "").await?;
        let [version, api_version, root_dir] = ["20.10.24", "1.41", "/"].map(str::to_owned);
        passage.leave(Ok(EngineInfo { version, api_version, root_dir })).await
    }

    async fn build(
        &self,
        request: BuildRequest,
        context: ContextStream,
        output: mpsc::Sender<BuildOutput>,
    ) -> Result<ImageId, BuildError> {
        let passage = self.enter(FakeCall::Build, &request.tag).await?;
        let result = self.run_build(request, context, output).await;
        passage.leave(result).await
    }

    async fn find_image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        let passage = self.enter(FakeCall::FindImage, reference).await?;
        passage.leave(Ok(self.image_info(reference))).await
    }

    async fn list_images(&self) -> Result<Vec<ImageSummary>, EngineError> {
        let passage = self.enter(FakeCall::ListImages, "").await?;
        passage.leave(Ok(self.our_images())).await
    }

    async fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        let passage = self.enter(FakeCall::RemoveImage, reference).await?;
        passage.leave(self.delete_image(reference)).await
    }

    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::EnsureNetwork, &spec.name).await?;
        passage.leave(self.make_network(spec)).await
    }

    async fn list_networks(&self) -> Result<Vec<Labelled>, EngineError> {
        let passage = self.enter(FakeCall::ListNetworks, "").await?;
        passage.leave(Ok(self.our_networks())).await
    }

    async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::RemoveNetwork, name).await?;
        passage.leave(self.delete_network(name)).await
    }

    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::EnsureVolume, &spec.name).await?;
        passage.leave(self.make_volume(spec)).await
    }

    async fn list_volumes(&self) -> Result<Vec<Labelled>, EngineError> {
        let passage = self.enter(FakeCall::ListVolumes, "").await?;
        passage.leave(Ok(self.our_volumes())).await
    }

    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::RemoveVolume, name).await?;
        passage.leave(self.delete_volume(name)).await
    }

    async fn create_container(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::CreateContainer, &spec.name).await?;
        passage.leave(self.make_container(spec)).await
    }

    async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::StartContainer, name).await?;
        passage.leave(self.run_container(name)).await
    }

    async fn stop_container(&self, name: &str, _grace: Duration) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::StopContainer, name).await?;
        passage.leave(self.halt_container(name)).await
    }

    async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::RemoveContainer, name).await?;
        passage.leave(self.delete_container(name)).await
    }

    async fn wait_container(&self, name: &str) -> Result<ContainerExit, EngineError> {
        let passage = self.enter(FakeCall::WaitContainer, name).await?;
        let result = self.exit_of(name).await;
        passage.leave(result).await
    }

    async fn set_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), EngineError> {
        let passage = self.enter(FakeCall::SetRestartPolicy, name).await?;
        passage.leave(self.change_restart_policy(name, policy)).await
    }

    async fn find_container(&self, name: &str) -> Result<Option<ContainerInfo>, EngineError> {
        let passage = self.enter(FakeCall::FindContainer, name).await?;
        passage.leave(self.container_info(name)).await
    }

    async fn list_containers(&self) -> Result<Vec<ContainerInfo>, EngineError> {
        let passage = self.enter(FakeCall::ListContainers, "").await?;
        passage.leave(Ok(self.our_containers())).await
    }

    async fn logs(&self, name: &str, request: LogsRequest) -> Result<LogStream, EngineError> {
        let passage = self.enter(FakeCall::Logs, name).await?;
        passage.leave(self.read_logs(name, request)).await
    }

    async fn events(&self) -> Result<EventStream, EngineError> {
        let passage = self.enter(FakeCall::Events, "").await?;
        passage.leave(Ok(self.watch_events())).await
    }
}
