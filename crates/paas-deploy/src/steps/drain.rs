use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use paas_docker::RestartPolicy;
use paas_domain::{AppId, DeployState};
use paas_proxy::{ProxyClientError, Refusal, RefusalKind};
use paas_store::{ContainerRow, StoreError};

use crate::{deployer::Deployer, failpoint, run::Run};

/// Between two tries to reach a proxy that is away.
const RETRY: Duration = Duration::from_millis(200);
/// When the old release cannot be read any more.
const FALLBACK: Duration = Duration::from_secs(30);

/// Lets the old containers end their requests, then stops and removes them. What cannot be done now, the reconciler does.
pub(crate) async fn drain(deployer: &Arc<Deployer>, run: &Run) {
    failpoint::at(DeployState::Draining, "before");
    if let Err(error) = deployer.store.advance_deploy(run.deploy, DeployState::Draining) {
        // After a crash it is draining already; a store that fails is seen again at the end.
        tracing::debug!(%error, "state not advanced");
    }
    failpoint::at(DeployState::Draining, "after");
    // Not the deploy that is being completed but what the store calls wanted: they differ when a newer one has switched since.
    let wanted = match deployer.rows(run.app) {
        Ok(rows) => rows.wanted,
        Err(error) => return Deployer::note("the new containers could not be listed", &error),
    };
    // From here on the engine keeps them alive, also while paas is down.
    let keep = join_all(wanted.iter().map(|row| async {
        let kept = deployer.engine.set_restart_policy(&row.name, RestartPolicy::UnlessStopped).await;
        if let Err(error) = kept {
            Deployer::note("a container's restart policy could not be set", &error);
        }
    }));
    tokio::join!(keep, retire_unwanted(deployer, run));
}

/// Drains, stops and removes the app's containers that are neither the active deploy's nor the candidate's.
pub(super) async fn retire_unwanted(deployer: &Deployer, run: &Run) {
    let unwanted = match deployer.rows(run.app) {
        Ok(rows) => rows.unwanted,
        Err(error) => return Deployer::note("the old containers could not be listed", &error),
    };
    join_all(unwanted.iter().map(|row| deployer.retire(row))).await;
    if !unwanted.is_empty() && deployer.rows(run.app).is_ok_and(|rows| rows.unwanted.is_empty()) {
        run.log.step("Drained and removed the old version");
    }
}

/// The containers of an app while no deploy of it is being prepared.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Of the active deploy and of the candidate.
    pub(crate) wanted: Vec<ContainerRow>,
    /// Left by deploys that ended.
    pub(crate) unwanted: Vec<ContainerRow>,
}

impl Deployer {
    /// The app's containers, by whether they should be.
    pub(crate) fn rows(&self, app: AppId) -> Result<Rows, StoreError> {
        let active = self.store.get_app_by_id(app)?.active_deploy;
        let candidate = self.store.candidate(app)?.map(|candidate| candidate.id);
        let (wanted, unwanted) = self
            .store
            .containers(app)?
            .into_iter()
            .partition(|row| Some(row.deploy) == active || Some(row.deploy) == candidate);
        Ok(Rows { wanted, unwanted })
    }

    /// Drains, stops and removes one container, then its row.
    pub(crate) async fn retire(&self, row: &ContainerRow) {
        let spec = self.store.get_release(row.release).map(|release| release.spec);
        let (drain, grace) = match &spec {
            Ok(spec) => (spec.drain_timeout, spec.stop_grace),
            Err(_) => (FALLBACK, FALLBACK),
        };
        if !self.wait_drained(row, drain).await {
            return;
        }
        if let Err(error) = self.engine.stop_container(&row.name, grace).await {
            return Self::note("a container could not be stopped", &error);
        }
        self.remove(row).await;
    }

    /// Resolves when the target is idle, at the latest when the drain timeout is over; false when it must not be stopped. A proxy that is away is
    /// being restarted: its requests may still be running in the process that goes, so their time is given to them.
    pub(super) async fn wait_drained(&self, row: &ContainerRow, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.proxy.wait_drained(&row.name, left).await {
                Ok(0) => return true,
                Ok(cut) => {
                    tracing::info!(target = row.name, cut, "requests were cut at the drain timeout");
                    return true;
                }
                Err(ProxyClientError::Refused(Refusal {
                    kind: RefusalKind::TargetActive { .. }, ..
                })) => {
                    // It still receives requests: the routes are behind the store. Stopping it now would lose them.
                    if self.apply_routes(row.app).await.is_err() || left.is_zero() {
                        tracing::warn!(
                            target = row.name,
                            "a container that is not wanted still receives requests; it is left for now"
                        );
                        return false;
                    }
                }
                Err(error) if left.is_zero() => {
                    Self::note("the proxy could not say whether the old version is idle", &error);
                    return true;
                }
                Err(_) => tokio::time::sleep(RETRY.min(left)).await,
            }
        }
    }

    /// Removes a container at once, then its row.
    pub(crate) async fn remove(&self, row: &ContainerRow) {
        if let Err(error) = self.engine.remove_container(&row.name).await {
            return Self::note("a container could not be removed", &error);
        }
        if let Err(error) = self.store.delete_container(row.id) {
            Self::note("a container's row could not be deleted", &error);
        }
    }
}
