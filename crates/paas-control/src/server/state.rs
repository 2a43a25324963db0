use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use paas_certs::Keeper;
use paas_deploy::Deployer;
use paas_git::Repositories;
use paas_store::Store;
use tokio_util::sync::CancellationToken;

use super::{
    access_log::AccessLogDirectory, authorized_keys::AuthorizedKeys, failure::Failure,
    push_registry::PushRegistry,
};

/// How long a part that control needs may take to say that it is well.
pub(super) const PART_TIMEOUT: Duration = Duration::from_secs(2);

/// When control stops: how long a client may take to send the rest of its request, and to take its answer.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(3);

/// What the API works on.
#[derive(Clone)]
pub struct ControlState {
    /// Makes deploys; holds the store, the engine and the proxy.
    pub deployer: Arc<Deployer>,
    /// Keeps a certificate for every hostname.
    pub certificates: Arc<Keeper>,
    /// The git repositories of the apps.
    pub repositories: Repositories,
    /// Where the proxy keeps access logs.
    pub access_logs: AccessLogDirectory,
    /// The file sshd reads.
    pub keys: AuthorizedKeys,
    /// The user that ssh sessions run as; it may speak, but only for a key.
    pub ssh_user_uid: Option<u32>,
    /// What stands before an app's name in the git remote people use: `paas@host:` or `ssh://paas@host:2222/`.
    pub remote: String,
    /// The version of the server.
    pub version: String,
    /// When control started.
    pub started: Instant,
}

/// What every handler gets.
pub(super) struct Shared {
    pub(super) control: ControlState,
    pub(super) own_uid: u32,
    pub(super) pushes: PushRegistry,
    /// Held while the keys change, so that the file never goes back to an older list.
    pub(super) keys_turn: tokio::sync::Mutex<()>,
    pub(super) shutdown: CancellationToken,
}

pub(super) type State = Arc<Shared>;

impl Shared {
    pub(super) fn new(control: ControlState, shutdown: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            control,
            own_uid: rustix::process::geteuid().as_raw(),
            pushes: PushRegistry::default(),
            keys_turn: tokio::sync::Mutex::new(()),
            shutdown,
        })
    }

    /// Resolves when control stops and no longer waits for what a client has to send.
    pub(super) async fn too_late(&self) {
        self.shutdown.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    }

    pub(super) fn deployer(&self) -> &Arc<Deployer> {
        &self.control.deployer
    }

    pub(super) fn certificates(&self) -> &Arc<Keeper> {
        &self.control.certificates
    }

    /// Runs what waits for the disk on a thread that may wait.
    pub(super) async fn store<T, E>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let deployer = Arc::clone(&self.control.deployer);
        blocking(move || work(deployer.store())).await
    }
}

/// Runs what waits for the disk on a thread that may wait.
pub(super) async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Failure>
where
    T: Send + 'static,
    E: Into<Failure> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => Err(Failure::internal("a request could not be completed", &error)),
    }
}
