use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, future::join_all};
use paas_docker::{ContainerInfo, ContainerState, EngineError, RestartPolicy, label};
use paas_domain::{AppId, VolumeName};
use paas_proxy::{ProxyClientError, ServiceSpec};
use paas_store::{App, ContainerRow, StoreError, Wanted};
use thiserror::Error;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    deployer::Deployer,
    failure::{Stop, chain},
    names,
    routes::ApplyRoutesError,
    steps,
};

/// How often everything is compared even when nothing seems to have happened: events get lost.
const EVERY: Duration = Duration::from_secs(10);

/// In how many rounds images are swept once.
const SWEEP_EVERY: u64 = 30;

/// Why things could not be made as the store says, this time.
#[derive(Debug, Error)]
pub enum ReconcileError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] ProxyClientError),
    /// A container could not be brought back.
    #[error("{0}")]
    Container(String),
}

impl From<ApplyRoutesError> for ReconcileError {
    fn from(error: ApplyRoutesError) -> Self {
        match error {
            ApplyRoutesError::Store(error) => Self::Store(error),
            ApplyRoutesError::Proxy(error) => Self::Proxy(error),
        }
    }
}

impl Deployer {
    /// Keeps the engine and the proxy like the store says until control stops: at start, when a container ends, and on a timer.
    pub async fn run(self: &Arc<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watching = self.watch_engine();
        let looking = async {
            let mut told = None;
            for round in 0u64.. {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = self.look.notified() => {}
                }
                let wrong = self.reconcile().await.err().map(|error| chain(&error));
                // Once, and again when it changes.
                if let Some(error) = wrong.as_ref().filter(|wrong| Some(*wrong) != told.as_ref()) {
                    tracing::warn!(error, "not everything is as it should be yet");
                }
                told = wrong;
                if round.is_multiple_of(SWEEP_EVERY)
                    && let Err(error) = self.sweep_images().await
                {
                    Self::note("images that nobody needs could not be removed", &error);
                }
            }
        };
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = looking => {}
            () = watching => {}
        }
    }

    /// Rings the bell when a container of ours ends or disappears.
    async fn watch_engine(&self) {
        loop {
            if let Ok(mut events) = self.engine.events().await {
                while let Some(Ok(event)) = events.next().await {
                    if matches!(event.action.as_str(), "die" | "destroy" | "oom") {
                        self.look.notify_one();
                    }
                }
            }
            // The engine is away; the timer looks too, so the pause only spares it a storm of connections.
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Compares the store with the engine and the proxy once, and mends what differs. Apps in the middle of a deploy are left to it. Everything is
    /// tried, the apps beside each other: one that hangs or fails keeps no other waiting. The last error is told.
    pub async fn reconcile(self: &Arc<Self>) -> Result<(), ReconcileError> {
        self.resume()?;
        // Listed before the rows are read: a container listed here had its row first, so one without a row now is an orphan.
        let containers = self.engine.list_containers().await;
        let services = self.proxy.services().await.map(by_name);
        let apps = self.store.list_apps()?;
        let mended = join_all(apps.iter().map(|app| async {
            let Some(_turn) = self.try_turn(app.id) else { return Ok(()) };
            match self.reconcile_app(app.id, services.as_ref().ok()).await {
                Err(ReconcileError::Store(StoreError::NoRow { .. })) => Ok(()),
                mended => mended,
            }
        }))
        .await;
        let orphans = match containers {
            Ok(containers) => self.remove_orphans(containers).await,
            Err(error) => Err(error.into()),
        };
        let foreign = match services {
            Ok(services) => self.remove_foreign_routes(services).await,
            Err(error) => Err(error.into()),
        };
        let results = [orphans, foreign, self.remove_leftovers().await];
        mended.into_iter().chain(results).rfind(Result::is_err).unwrap_or(Ok(()))
    }

    /// Makes one app as the store says. The caller has the app's turn. Without a listing of what the proxy has, it is told whatever it has.
    pub(crate) async fn reconcile_app(
        self: &Arc<Self>,
        app: AppId,
        services: Option<&Services>,
    ) -> Result<(), ReconcileError> {
        let app = self.store.get_app_by_id(app)?;
        match app.wanted {
            Wanted::Running => self.keep_running(&app, services).await,
            Wanted::Stopped => {
                self.sync_routes(&app, services).await?;
                self.retire_all(&app).await
            }
            Wanted::Destroyed { volumes } => self.destroy(&app, volumes).await,
        }
    }

    async fn keep_running(&self, app: &App, services: Option<&Services>) -> Result<(), ReconcileError> {
        if self.store.holding_deploy(app.id)?.is_some() {
            // The old version is stopped on purpose, and what is there of the new one goes before it starts: the task that undoes the deploy does
            // both. Until then requests are held.
            return self.sync_routes(app, services).await;
        }
        let rows = self.rows(app.id)?;
        let revived = join_all(rows.wanted.iter().map(|row| self.revive(app, row))).await;
        self.sync_routes(app, services).await?;
        // Left by a deploy that could not remove them, or whose undo failed; no task drives them, for we have the turn.
        join_all(rows.unwanted.iter().map(|row| self.retire(row))).await;
        revived.into_iter().collect()
    }

    /// The container of a wanted row is there and runs, or the engine is about to restart it.
    pub(crate) async fn revive(&self, app: &App, row: &ContainerRow) -> Result<(), ReconcileError> {
        if let Some(found) = self.engine.find_container(&row.name).await? {
            if matches!(
                found.state,
                ContainerState::Running | ContainerState::Restarting | ContainerState::Paused
            ) {
                return Ok(());
            }
            tracing::info!(container.name = row.name, state = ?found.state, "starting a container that should run");
            // First that it stays: it may have been made in a life of control that ended before it said so.
            let kept = self.engine.set_restart_policy(&row.name, RestartPolicy::UnlessStopped).await;
            if kept.is_ok() && self.engine.start_container(&row.name).await.is_ok() {
                return Ok(());
            }
            // It cannot be started as it is: made anew below. Its data is in volumes.
            self.engine.remove_container(&row.name).await?;
        }
        tracing::info!(container.name = row.name, "making a container that is missing");
        let release = self.store.get_release(row.release)?;
        let container = |stop: Stop| match stop {
            Stop::Failed(failure) => ReconcileError::Container(failure.message),
            Stop::Ended(_) => ReconcileError::Container("the deploy ended".to_owned()),
        };
        steps::ensure_surroundings(self, app, &release.spec).await.map_err(container)?;
        steps::start_to_stay(self, app, &release, row).await.map_err(container)
    }

    async fn sync_routes(&self, app: &App, services: Option<&Services>) -> Result<(), ReconcileError> {
        if let Some(services) = services {
            let current = services.get(&names::service(app.id));
            if self.service(app)?.map(|(service, _)| comparable(&service)) == current.map(comparable) {
                return Ok(());
            }
        }
        self.apply_routes(app.id).await?;
        Ok(())
    }

    async fn retire_all(&self, app: &App) -> Result<(), ReconcileError> {
        let rows = self.store.containers(app.id)?;
        join_all(rows.iter().map(|row| self.retire(row))).await;
        self.all_removed(app)
    }

    fn all_removed(&self, app: &App) -> Result<(), ReconcileError> {
        match self.store.containers(app.id)?.first() {
            None => Ok(()),
            Some(row) => Err(ReconcileError::Container(format!("{} could not be removed", row.name))),
        }
    }

    /// Routes, containers, images, network, volumes if wished, rows: in this order, each again after a crash.
    async fn destroy(&self, app: &App, volumes: bool) -> Result<(), ReconcileError> {
        self.names_changed.notify_one();
        self.proxy.delete_service(&names::service(app.id)).await?;
        self.refusals.replace(app.id, &[]);
        let rows = self.store.containers(app.id)?;
        // Cut at once, so that no name stays taken in the proxy. One that cannot say that nothing is sent there any more may still have requests for
        // these addresses, and the next app gets them as soon as this one's rows are gone.
        let cut = rows.iter().map(|row| self.proxy.wait_drained(&row.name, Duration::ZERO));
        join_all(cut).await.into_iter().collect::<Result<Vec<_>, _>>()?;
        join_all(rows.iter().map(|row| self.remove(row))).await;
        self.all_removed(app)?;
        for image in self.engine.list_images().await? {
            if image.labels.get(label::APP) == Some(&app.id.to_string()) {
                for tag in &image.tags {
                    self.engine.remove_image(tag).await?;
                }
                self.engine.remove_image(&image.id.0).await?;
            }
        }
        self.engine.remove_network(&names::network(app.id)).await?;
        let mut going = BTreeSet::new();
        if volumes {
            for volume in self.store.volumes_of(app.id)?.into_iter().chain(self.declared_volumes(app)?) {
                // Marked before the app's rows go, so that a crash in between is completed.
                match self.store.mark_volume_destroying(&volume) {
                    Ok(()) => {
                        going.insert(volume);
                    }
                    // Another app mounts it: it stays.
                    Err(StoreError::VolumeInUse { .. } | StoreError::NoVolume(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.store.delete_app(app.id, &self.settings.domain)?;
        for volume in going {
            self.remove_volume(&volume).await?;
        }
        Ok(())
    }

    /// Volumes that only the code of the app names.
    fn declared_volumes(&self, app: &App) -> Result<Vec<VolumeName>, ReconcileError> {
        let Some(release) = app.release else { return Ok(Vec::new()) };
        let spec = self.store.get_release(release)?.spec;
        Ok(spec.mounts.into_iter().map(|mount| mount.volume).collect())
    }

    /// Removes a volume whose row says that it is to go.
    pub(crate) async fn remove_volume(&self, name: &VolumeName) -> Result<(), ReconcileError> {
        self.engine.remove_volume(&names::volume(name)).await?;
        Ok(self.store.delete_volume(name)?)
    }

    async fn remove_orphans(&self, containers: Vec<ContainerInfo>) -> Result<(), ReconcileError> {
        let rows: HashMap<String, ContainerRow> =
            self.store.all_containers()?.into_iter().map(|row| (row.name.clone(), row)).collect();
        let mut result = Ok(());
        for container in containers {
            if !rows.contains_key(&container.name) {
                tracing::info!(container.name, "removing a container of ours that nothing wants");
                if let Err(error) = self.engine.remove_container(&container.name).await {
                    result = Err(error.into());
                }
            }
        }
        result
    }

    /// The services were listed before the rows are read, as with containers.
    async fn remove_foreign_routes(&self, services: Services) -> Result<(), ReconcileError> {
        let wanted: BTreeSet<String> =
            self.store.list_apps()?.iter().map(|app| names::service(app.id)).collect();
        for name in services.into_keys() {
            if !wanted.contains(&name) {
                self.proxy.delete_service(&name).await?;
            }
        }
        Ok(())
    }

    /// Networks of apps that are gone, and volumes whose removal was begun.
    async fn remove_leftovers(&self) -> Result<(), ReconcileError> {
        let networks = self.engine.list_networks().await?;
        let wanted: BTreeSet<String> =
            self.store.list_apps()?.iter().map(|app| names::network(app.id)).collect();
        let mut result = Ok(());
        for network in networks {
            if !wanted.contains(&network.name)
                && let Err(error) = self.engine.remove_network(&network.name).await
            {
                result = Err(error.into());
            }
        }
        for volume in self.store.list_volumes()?.into_iter().filter(|volume| volume.destroying) {
            if let Err(error) = self.remove_volume(&volume.name).await {
                result = Err(error);
            }
        }
        result
    }
}

/// What the proxy had when it was asked, by name: once for all apps of a round.
pub(crate) type Services = HashMap<String, ServiceSpec>;

fn by_name(services: Vec<ServiceSpec>) -> Services {
    services.into_iter().map(|service| (service.name.clone(), service)).collect()
}

/// A service without what order does not matter for.
fn comparable(service: &ServiceSpec) -> ServiceSpec {
    let mut service = service.clone();
    service.hosts.sort_unstable();
    service.targets.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    if let Some(candidate) = &mut service.candidate {
        candidate.targets.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    }
    service
}
