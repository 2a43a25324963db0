use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use paas_proxy::{
    AdminSocket, HandOver, Limits, ProxyClient, ProxyConfig, ProxyError, Ready, ServiceSpec, ServiceState,
    TargetProtocol, TargetSpec, run,
};
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Wire, time_of, within};

/// A running proxy and its directory.
pub struct TestProxy {
    pub address: SocketAddr,
    pub https: SocketAddr,
    pub ready: Ready,
    pub client: ProxyClient,
    pub directory: tempfile::TempDir,
    shutdown: CancellationToken,
    pub(super) task: JoinHandle<Result<(), ProxyError>>,
}

/// Defaults, but a shutdown that does not wait for ever.
pub fn limits() -> Limits {
    Limits { shutdown_timeout: Duration::from_secs(10), ..Limits::default() }
}

/// What is over sooner has waited for none of the limits on clients: the shortest of these take ten seconds.
pub const PROMPT: Duration = Duration::from_secs(8);

/// The tests' usual configuration, with all files in one directory.
pub fn config_in(directory: &Path, limits: Limits) -> ProxyConfig {
    ProxyConfig {
        http: vec!["127.0.0.1:0".parse().unwrap()],
        https: vec!["127.0.0.1:0".parse().unwrap()],
        https_public_port: 443,
        http3: false,
        certificates: directory.join("certs"),
        hand_over: HandOver::default(),
        inherited: Vec::new(),
        inherited_udp: Vec::new(),
        admin: AdminSocket::new(directory.join("proxy.sock")),
        state_file: directory.join("table.json"),
        access_logs: directory.join("access"),
        limits,
    }
}

impl TestProxy {
    pub async fn start() -> Self {
        Self::start_with(limits()).await
    }

    pub async fn start_with(limits: Limits) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), limits).await.unwrap()
    }

    pub async fn start_in(directory: tempfile::TempDir, limits: Limits) -> Result<Self, ProxyError> {
        Self::start_on(Vec::new(), directory, limits).await
    }

    /// With listening sockets from somewhere else.
    pub async fn start_on(
        inherited: Vec<std::net::TcpListener>,
        directory: tempfile::TempDir,
        limits: Limits,
    ) -> Result<Self, ProxyError> {
        Self::start_as(directory, limits, |config| config.inherited = inherited).await
    }

    /// With a configuration that differs from the tests' usual one.
    pub async fn start_as(
        directory: tempfile::TempDir,
        limits: Limits,
        adjust: impl FnOnce(&mut ProxyConfig),
    ) -> Result<Self, ProxyError> {
        let shutdown = CancellationToken::new();
        let (tell, ready) = oneshot::channel();
        let mut config = config_in(directory.path(), limits);
        let socket = config.admin.path.clone();
        adjust(&mut config);
        let token = shutdown.clone();
        let task = tokio::spawn(async move {
            run(config, token, |ready| {
                let _ = tell.send(ready.clone());
            })
            .await
        });
        let Ok(ready) = within("the start", ready).await else {
            return Err(task.await.unwrap().expect_err("ended without being ready"));
        };
        let client = ProxyClient::new(socket);
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let first = |addresses: &[SocketAddr]| addresses.first().copied().unwrap_or(nowhere);
        let (address, https) = (first(&ready.http), first(&ready.https));
        Ok(Self { address, https, ready, client, directory, shutdown, task })
    }

    pub fn state_file(&self) -> PathBuf {
        self.directory.path().join("table.json")
    }

    /// The file of a host's certificate.
    pub fn certificate_file(&self, host: &str) -> PathBuf {
        self.directory.path().join("certs").join(format!("{host}.json"))
    }

    pub async fn put(&self, name: &str, host: &str, targets: &[(&str, SocketAddr)]) {
        self.client.put_service(&service(name, &[host], targets)).await.unwrap();
    }

    /// Puts a service that differs from the tests' usual one.
    pub async fn put_as(
        &self,
        name: &str,
        host: &str,
        targets: &[(&str, SocketAddr)],
        adjust: impl FnOnce(&mut ServiceSpec),
    ) {
        let mut spec = service(name, &[host], targets);
        adjust(&mut spec);
        self.client.put_service(&spec).await.unwrap();
    }

    pub async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// The requests in flight on one target, or `None` when the proxy does not know it.
    pub async fn in_flight(&self, target: &str) -> Option<u64> {
        let services = self.client.services().await.unwrap();
        services
            .iter()
            .flat_map(|service| &service.targets)
            .find(|status| status.id == target)
            .map(|s| s.in_flight)
    }

    pub fn begin_shutdown(&self) {
        self.shutdown.cancel();
    }

    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Ends the proxy and gives its directory back.
    pub async fn stop(self) -> tempfile::TempDir {
        self.shutdown.cancel();
        within("the shutdown", self.task).await.unwrap().unwrap();
        self.directory
    }

    /// Ends the proxy, which takes no longer than that.
    pub async fn stop_within(self, limit: Duration) {
        let took = time_of(async { drop(self.stop().await) }).await;
        assert!(took < limit, "{took:?}");
    }
}

pub fn service(name: &str, hosts: &[&str], targets: &[(&str, SocketAddr)]) -> ServiceSpec {
    ServiceSpec {
        name: name.to_owned(),
        hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
        targets: targets.iter().map(|&(id, address)| target(id, address)).collect(),
        state: ServiceState::Serving,
        ..ServiceSpec::default()
    }
}

pub fn target(id: &str, address: SocketAddr) -> TargetSpec {
    TargetSpec { id: id.to_owned(), address, protocol: TargetProtocol::Http1 }
}
