use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use paas_deploy::{FakeProxy, Proxy};
use paas_docker::{
    BuildError, BuildOutput, BuildRequest, ContainerExit, ContainerInfo, ContainerSpec, ContainerState,
    ContextStream, Engine, EngineError, EngineInfo, EventStream, FakeEngine, ImageId, ImageInfo,
    ImageSummary, Labelled, LogStream, LogsRequest, NetworkSpec, RestartPolicy, VolumeSpec, label,
};
use paas_proxy::{ProxyClientError, ProxyMetrics, ServiceSpec};
use tokio::sync::{Notify, mpsc};

/// Whether the call's effect still happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

/// Counts the calls that change something, of engine and proxy together, and stops the world at one of them.
#[derive(Debug, Clone)]
pub struct Crash(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    at: usize,
    side: Side,
    calls: AtomicUsize,
    reached: Notify,
}

impl Crash {
    /// At the call number `at`, counted from 0.
    pub fn new(at: usize, side: Side) -> Self {
        let (calls, reached) = (AtomicUsize::new(0), Notify::new());
        Self(Arc::new(Inner { at, side, calls, reached }))
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// Resolves when the world stands still.
    pub async fn reached(&self) {
        self.0.reached.notified().await;
    }

    async fn pass<T>(&self, call: impl Future<Output = T>) -> T {
        let number = self.0.calls.fetch_add(1, Ordering::SeqCst);
        if number > self.0.at {
            // The process is dead already: nothing it does after that point happens.
            std::future::pending::<()>().await;
        }
        if number == self.0.at && self.0.side == Side::Before {
            self.stand_still().await;
        }
        let value = call.await;
        if number == self.0.at {
            self.stand_still().await;
        }
        value
    }

    async fn stand_still(&self) {
        self.0.reached.notify_one();
        std::future::pending::<()>().await;
    }
}

/// Which deploys of one app had a container running at one time, over every life of control.
#[derive(Debug, Clone, Default)]
pub struct Together(Arc<Mutex<BTreeSet<Vec<String>>>>);

impl Together {
    /// The deploys that ran beside each other; none when never two did.
    pub fn seen(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap().iter().cloned().collect()
    }

    fn look(&self, engine: &FakeEngine) {
        let running = engine.containers().into_iter().filter(|c| c.state == ContainerState::Running);
        let deploys: BTreeSet<String> =
            running.filter_map(|mut container| container.spec.labels.remove(label::DEPLOY)).collect();
        if deploys.len() > 1 {
            self.0.lock().unwrap().insert(deploys.into_iter().collect());
        }
    }
}

pub fn wrap(
    engine: &FakeEngine,
    proxy: &FakeProxy,
    together: &Together,
    crash: Option<&Crash>,
) -> (Arc<dyn Engine>, Arc<dyn Proxy>) {
    let crash = crash.cloned().unwrap_or_else(|| Crash::new(usize::MAX, Side::Before));
    (
        Arc::new(CrashingEngine(engine.clone(), crash.clone(), together.clone())),
        Arc::new(CrashingProxy(proxy.clone(), crash)),
    )
}

struct CrashingEngine(FakeEngine, Crash, Together);
struct CrashingProxy(FakeProxy, Crash);

#[async_trait]
impl Engine for CrashingEngine {
    async fn info(&self) -> Result<EngineInfo, EngineError> {
        self.0.info().await
    }
    async fn build(
        &self,
        request: BuildRequest,
        context: ContextStream,
        output: mpsc::Sender<BuildOutput>,
    ) -> Result<ImageId, BuildError> {
        self.1.pass(self.0.build(request, context, output)).await
    }
    async fn find_image(&self, reference: &str) -> Result<Option<ImageInfo>, EngineError> {
        self.0.find_image(reference).await
    }
    async fn list_images(&self) -> Result<Vec<ImageSummary>, EngineError> {
        self.0.list_images().await
    }
    async fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        self.1.pass(self.0.remove_image(reference)).await
    }
    async fn ensure_network(&self, spec: &NetworkSpec) -> Result<(), EngineError> {
        self.1.pass(self.0.ensure_network(spec)).await
    }
    async fn list_networks(&self) -> Result<Vec<Labelled>, EngineError> {
        self.0.list_networks().await
    }
    async fn remove_network(&self, name: &str) -> Result<(), EngineError> {
        self.1.pass(self.0.remove_network(name)).await
    }
    async fn ensure_volume(&self, spec: &VolumeSpec) -> Result<(), EngineError> {
        self.1.pass(self.0.ensure_volume(spec)).await
    }
    async fn list_volumes(&self) -> Result<Vec<Labelled>, EngineError> {
        self.0.list_volumes().await
    }
    async fn remove_volume(&self, name: &str) -> Result<(), EngineError> {
        self.1.pass(self.0.remove_volume(name)).await
    }
    async fn create_container(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        self.1.pass(self.0.create_container(spec)).await
    }
    async fn start_container(&self, name: &str) -> Result<(), EngineError> {
        let start = async {
            let started = self.0.start_container(name).await;
            self.2.look(&self.0);
            started
        };
        self.1.pass(start).await
    }
    async fn stop_container(&self, name: &str, grace: Duration) -> Result<(), EngineError> {
        self.1.pass(self.0.stop_container(name, grace)).await
    }
    async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        self.1.pass(self.0.remove_container(name)).await
    }
    async fn wait_container(&self, name: &str) -> Result<ContainerExit, EngineError> {
        self.0.wait_container(name).await
    }
    async fn set_restart_policy(&self, name: &str, policy: RestartPolicy) -> Result<(), EngineError> {
        self.1.pass(self.0.set_restart_policy(name, policy)).await
    }
    async fn find_container(&self, name: &str) -> Result<Option<ContainerInfo>, EngineError> {
        self.0.find_container(name).await
    }
    async fn list_containers(&self) -> Result<Vec<ContainerInfo>, EngineError> {
        self.0.list_containers().await
    }
    async fn logs(&self, name: &str, request: LogsRequest) -> Result<LogStream, EngineError> {
        self.0.logs(name, request).await
    }
    async fn events(&self) -> Result<EventStream, EngineError> {
        self.0.events().await
    }
}

#[async_trait]
impl Proxy for CrashingProxy {
    async fn answers(&self) -> Result<(), ProxyClientError> {
        self.0.answers().await
    }
    async fn metrics(&self) -> Result<ProxyMetrics, ProxyClientError> {
        self.0.metrics().await
    }
    async fn put_service(&self, service: &ServiceSpec) -> Result<(), ProxyClientError> {
        self.1.pass(self.0.put_service(service)).await
    }
    async fn delete_service(&self, name: &str) -> Result<(), ProxyClientError> {
        self.1.pass(self.0.delete_service(name)).await
    }
    async fn services(&self) -> Result<Vec<ServiceSpec>, ProxyClientError> {
        self.0.services().await
    }
    async fn wait_drained(&self, target: &str, deadline: Duration) -> Result<u64, ProxyClientError> {
        self.1.pass(self.0.wait_drained(target, deadline)).await
    }
}
