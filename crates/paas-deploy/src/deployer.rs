use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::Stream;
use paas_docker::Engine;
use paas_domain::{AppId, CommitId, DeployEvent, DeployId, DeployKind, DeployState, Outcome, VolumeName};
use paas_store::{App, NewDeploy, Store, StoreError, Wanted};
use thiserror::Error;
use tokio::sync::{Notify, OwnedMutexGuard};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    branch_now::BranchNow, build_queue::BuildQueue, failpoint, failure::chain, log::DeployLog, proxy::Proxy,
    reconciler::ReconcileError, refusals::Refusals, run::Run, settings::DeploySettings, steps,
};

/// Ended deploys that can still be followed from their beginning.
const REMEMBERED: usize = 32;

/// Makes releases the active ones, one deploy of an app at a time, and keeps the engine and the proxy like the store says.
pub struct Deployer {
    pub(crate) store: Store,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) proxy: Arc<dyn Proxy>,
    pub(crate) settings: DeploySettings,
    pub(crate) builds: BuildQueue,
    /// Read by a build, written by who removes images that nobody needs: a build may give an image anew that was one of them.
    pub(crate) images: tokio::sync::RwLock<()>,
    /// Rung when the reconciler should look before its time.
    pub(crate) look: Notify,
    /// Held while one app's routes are read and put.
    pub(crate) routes_turn: tokio::sync::Mutex<()>,
    /// What of each app the log says the proxy refuses.
    pub(crate) refusals: Refusals,
    /// Rung when hostnames may have come or gone.
    pub(crate) names_changed: Arc<Notify>,
    pub(crate) shutdown: CancellationToken,
    tasks: TaskTracker,
    known: Mutex<Known>,
}

/// The deploys of this process and the turn of each app.
#[derive(Default)]
struct Known {
    /// By deploy: the newest, when a candidate that was pushed is promoted.
    runs: HashMap<DeployId, Arc<Run>>,
    /// By push.
    pushes: HashMap<String, Arc<Run>>,
    ended: VecDeque<DeployId>,
    turns: HashMap<AppId, Arc<tokio::sync::Mutex<()>>>,
    /// How many tasks drive a deploy at this moment. Two, while a push that became a candidate waits for git and the candidate is promoted already.
    driven: HashMap<DeployId, usize>,
    /// Pushes whose client went away before their deploy began.
    gone: VecDeque<String>,
}

/// What a push wants.
#[derive(Debug, Clone)]
pub struct PushRequest {
    /// The push's id, made by `ssh-session`.
    pub push: String,
    /// The app.
    pub app: AppId,
    /// `main` or `master`.
    pub branch: String,
    /// Where the client saw the branch; `None` when it did not exist.
    pub old: Option<CommitId>,
    /// What is to be deployed.
    pub new: CommitId,
    /// Where the branch is now.
    pub branch_now: BranchNow,
    /// The bare repository.
    pub repository: PathBuf,
    /// Where git keeps the pushed objects until the hook accepts them.
    pub quarantine: Option<PathBuf>,
    /// The key's name.
    pub requested_by: String,
}

/// What a deploy has to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Build a commit and deploy it.
    Push(PushRequest),
    /// Deploy the current image again with what commands have set by now.
    Redeploy { kind: DeployKind, description: String, requested_by: String },
}

/// Why a deploy could not begin.
#[derive(Debug, Error)]
pub enum StartDeployError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The app is on its way out.
    #[error("the app is being destroyed")]
    Destroyed,
    /// Control is stopping.
    #[error("paas is stopping; try again in a moment")]
    Stopping,
}

/// Why an app or a volume could not be stopped or removed.
#[derive(Debug, Error)]
pub enum RemoveError {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine or the proxy did not do it now; what was asked is recorded and will be done.
    #[error("this is recorded and will be completed as soon as it can be: {0}")]
    Later(String),
}

/// What became of the wish to cancel a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It ends without having changed anything.
    Cancelled,
    /// It has switched: it completes.
    TooLate,
    /// No deploy of that push is known.
    Unknown,
}

/// A deploy to follow.
pub struct DeployHandle {
    id: DeployId,
    log: Arc<DeployLog>,
}

impl DeployHandle {
    /// The deploy's id.
    pub fn id(&self) -> DeployId {
        self.id
    }

    /// Everything it told and will tell, from the beginning; ends after `Ended`.
    pub fn events(self) -> impl Stream<Item = DeployEvent> + Send + 'static {
        self.log.events()
    }
}

impl Deployer {
    /// Touches nothing yet: [`Deployer::run`] takes up what an earlier life left.
    pub fn new(
        store: Store,
        engine: Arc<dyn Engine>,
        proxy: Arc<dyn Proxy>,
        settings: DeploySettings,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            engine,
            proxy,
            settings,
            builds: BuildQueue::new(),
            images: tokio::sync::RwLock::new(()),
            look: Notify::new(),
            routes_turn: tokio::sync::Mutex::new(()),
            refusals: Refusals::default(),
            names_changed: Arc::default(),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            known: Mutex::default(),
        })
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// The proxy.
    pub fn proxy(&self) -> &Arc<dyn Proxy> {
        &self.proxy
    }

    /// Rung when hostnames may have come or gone.
    pub fn names_changed(&self) -> Arc<Notify> {
        Arc::clone(&self.names_changed)
    }

    /// The server's settings.
    pub fn settings(&self) -> &DeploySettings {
        &self.settings
    }

    /// Begins to deploy a pushed commit. Older pushes of the same app that have not switched end as superseded.
    pub fn push(self: &Arc<Self>, request: PushRequest) -> Result<DeployHandle, StartDeployError> {
        let deploy = NewDeploy {
            app: request.app,
            kind: DeployKind::Push,
            commit: Some(request.new.clone()),
            requested_by: request.requested_by.clone(),
        };
        let push = Some(request.push.clone());
        self.begin(deploy, push, Job::Push(request))
    }

    /// Begins to deploy the current image again. `None` when there is nothing to do: the app was never deployed, or it is stopped and this is not a start.
    pub fn redeploy(
        self: &Arc<Self>,
        app: AppId,
        kind: DeployKind,
        description: String,
        requested_by: String,
    ) -> Result<Option<DeployHandle>, StartDeployError> {
        let found = self.store.get_app_by_id(app)?;
        if found.release.is_none() || (found.wanted == Wanted::Stopped && !kind.starts_a_stopped_app()) {
            return Ok(None);
        }
        let deploy = NewDeploy { app, kind, commit: None, requested_by: requested_by.clone() };
        self.begin(deploy, None, Job::Redeploy { kind, description, requested_by }).map(Some)
    }

    fn begin(
        self: &Arc<Self>,
        new: NewDeploy,
        push: Option<String>,
        job: Job,
    ) -> Result<DeployHandle, StartDeployError> {
        if self.shutdown.is_cancelled() {
            return Err(StartDeployError::Stopping);
        }
        let app = self.store.get_app_by_id(new.app)?;
        if matches!(app.wanted, Wanted::Destroyed { .. }) {
            return Err(StartDeployError::Destroyed);
        }
        let mut known = self.known();
        // Under the lock, so that of two pushes at once the one with the later row is the newest.
        failpoint::at(DeployState::Queued, "before");
        let row = self.store.create_deploy(new)?;
        failpoint::at(DeployState::Queued, "after");
        if push.is_some() {
            for run in known.pushes.values().filter(|run| run.app == row.app) {
                run.stop(Outcome::Superseded);
            }
        }
        let run = Arc::new(Run::new(row.id, row.app, push));
        if run.push.as_ref().is_some_and(|push| known.gone.contains(push)) {
            run.stop(Outcome::Cancelled);
        }
        known.remember(&run);
        drop(known);
        Ok(self.spawn(run, |deployer, run| async move { steps::drive(&deployer, &run, job).await }))
    }

    /// Begins to drive a deploy that has its row.
    pub(crate) fn drive<F: Future<Output = NextLook> + Send + 'static>(
        self: &Arc<Self>,
        deploy: DeployId,
        app: AppId,
        task: impl FnOnce(Arc<Self>, Arc<Run>) -> F,
    ) -> Result<DeployHandle, StartDeployError> {
        if self.shutdown.is_cancelled() {
            return Err(StartDeployError::Stopping);
        }
        let run = Arc::new(Run::new(deploy, app, None));
        self.known().remember(&run);
        Ok(self.spawn(run, task))
    }

    /// Runs a task that drives a remembered deploy.
    fn spawn<F: Future<Output = NextLook> + Send + 'static>(
        self: &Arc<Self>,
        run: Arc<Run>,
        task: impl FnOnce(Arc<Self>, Arc<Run>) -> F,
    ) -> DeployHandle {
        let handle = DeployHandle { id: run.deploy, log: run.log.clone() };
        let deployer = Arc::clone(self);
        let work = task(Arc::clone(self), Arc::clone(&run));
        self.tasks.spawn(async move {
            let driving = Driving { deployer: &deployer, deploy: run.deploy };
            let next = work.await;
            // Before the reconciler looks: it leaves alone what is driven.
            drop(driving);
            if next == NextLook::AtOnce {
                deployer.look.notify_one();
            }
        });
        handle
    }

    /// The deploy of that id, from its beginning when this process drove it, else its end from the store.
    pub fn follow(&self, deploy: DeployId) -> Result<DeployHandle, StoreError> {
        if let Some(run) = self.known().runs.get(&deploy) {
            return Ok(DeployHandle { id: deploy, log: run.log.clone() });
        }
        let row = self.store.get_deploy(deploy)?;
        let run = Run::new(deploy, row.app, None);
        self.tell_end(&run, &row)?;
        Ok(DeployHandle { id: deploy, log: run.log.clone() })
    }

    /// Ends the deploy of a push whose client went away, if it has not switched. A push that is still to come is cancelled when it does.
    pub fn cancel_push(&self, push: &str) -> CancelAnswer {
        let mut known = self.known();
        let Some(run) = known.find_push(push) else {
            known.gone.push_back(push.to_owned());
            if known.gone.len() > REMEMBERED {
                known.gone.pop_front();
            }
            return CancelAnswer::Unknown;
        };
        if run.stop(Outcome::Cancelled) { CancelAnswer::Cancelled } else { CancelAnswer::TooLate }
    }

    /// Nobody will say any more that the branch of that push moved: the app's next deploy need not wait for it.
    pub fn push_abandoned(&self, push: &str) -> CancelAnswer {
        let answer = self.cancel_push(push);
        self.push_received(push);
        answer
    }

    /// git has moved the branch of that push: the app's next push may begin.
    pub fn push_received(&self, push: &str) {
        if let Some(run) = self.known().find_push(push) {
            run.received.notify_one();
        }
    }

    /// Stops the app: requests are answered 503, its containers end. It stays stopped until a start or a push.
    pub async fn stop_app(self: &Arc<Self>, app: AppId) -> Result<(), RemoveError> {
        let _turn = self.turn(app).await;
        self.store.stop_app(app)?;
        self.reconcile_app(app, None).await.map_err(|error| RemoveError::Later(error.to_string()))
    }

    /// Removes the app with everything but its volumes, or with those that no other app mounts.
    pub async fn destroy_app(self: &Arc<Self>, app: AppId, volumes: bool) -> Result<(), RemoveError> {
        self.store.set_wanted(app, Wanted::Destroyed { volumes })?;
        for run in self.known().runs.values().filter(|run| run.app == app) {
            run.stop(Outcome::Cancelled);
        }
        let _turn = self.turn(app).await;
        match self.reconcile_app(app, None).await {
            // The reconciler was quicker.
            Ok(()) | Err(ReconcileError::Store(StoreError::NoRow { .. })) => Ok(()),
            Err(error) => Err(RemoveError::Later(error.to_string())),
        }
    }

    /// Removes a volume with its data; refused while an app mounts it.
    pub async fn destroy_volume(&self, name: &VolumeName) -> Result<(), RemoveError> {
        self.store.mark_volume_destroying(name)?;
        self.remove_volume(name).await.map_err(|error| RemoveError::Later(error.to_string()))
    }

    /// Asks the reconciler to look before its time, because what the store says of several apps has changed.
    pub fn reconcile_soon(&self) {
        self.look.notify_one();
    }

    /// Where the app answers, its own name first. A hostname that it redirects is none of them.
    pub fn urls(&self, app: &App) -> Vec<String> {
        let hosts = self.host_rules(app).unwrap_or_default().hosts;
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let is_secure = |host| self.store.has_trusted_certificate(app.id, host, now).unwrap_or_default();
        hosts.iter().map(|host| self.settings.url(host, is_secure(host))).collect()
    }

    /// No new deploys; those that have not switched end as interrupted, the others complete. Resolves when all have ended.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        for run in self.known().runs.values() {
            run.stop(Outcome::Interrupted);
        }
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Takes up every deploy that has not ended and that no task drives: what an earlier life of control left, or a task that could not store its end.
    /// Each is completed or undone in a task of its own.
    pub fn resume(self: &Arc<Self>) -> Result<(), StoreError> {
        // The lock is held over the reading: a deploy that begins now is driven before anybody can read its row.
        let mut known = self.known();
        for row in self.store.running_deploys()? {
            if known.driven.contains_key(&row.id) {
                continue;
            }
            let run = Arc::new(Run::new(row.id, row.app, None));
            known.remember(&run);
            self.spawn(run, |deployer, run| async move { steps::resume(&deployer, &run, &row).await });
        }
        Ok(())
    }

    /// Waits until no deploy, stop or destroy of the app is under way.
    pub(crate) async fn turn(&self, app: AppId) -> OwnedMutexGuard<()> {
        let turn = self.known().turns.entry(app).or_default().clone();
        turn.lock_owned().await
    }

    /// The turn, if nobody has it.
    pub(crate) fn try_turn(&self, app: AppId) -> Option<OwnedMutexGuard<()>> {
        let turn = self.known().turns.entry(app).or_default().clone();
        turn.try_lock_owned().ok()
    }

    /// The deploy has ended: it can be followed for a while, then only its row remains.
    pub(crate) fn forget_later(&self, run: &Run) {
        let mut known = self.known();
        // One that ends again and again must not push out the others.
        known.ended.retain(|deploy| *deploy != run.deploy);
        known.ended.push_back(run.deploy);
        while known.ended.len() > REMEMBERED {
            let Some(oldest) = known.ended.pop_front() else { break };
            // Else a task drives it again.
            if !known.driven.contains_key(&oldest) {
                known.runs.remove(&oldest);
                known.pushes.retain(|_, run| run.deploy != oldest);
            }
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs what a background part could not do now; it will look again.
    pub(crate) fn note(what: &str, error: &dyn std::error::Error) {
        tracing::warn!(error = %chain(error), "{what}");
    }
}

/// When the reconciler looks after a task that drove a deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextLook {
    AtOnce,
    /// As often as it looks anyway.
    OnTime,
}

/// While it lives a task drives the deploy; it ends with the task, however that ends.
struct Driving<'a> {
    deployer: &'a Deployer,
    deploy: DeployId,
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut tasks) = self.deployer.known().driven.entry(self.deploy) {
            *tasks.get_mut() -= 1;
            if *tasks.get() == 0 {
                tasks.remove();
            }
        }
    }
}

impl Known {
    fn remember(&mut self, run: &Arc<Run>) {
        self.runs.insert(run.deploy, Arc::clone(run));
        if let Some(push) = &run.push {
            self.pushes.insert(push.clone(), Arc::clone(run));
        }
        *self.driven.entry(run.deploy).or_default() += 1;
    }

    fn find_push(&self, push: &str) -> Option<Arc<Run>> {
        self.pushes.get(push).cloned()
    }
}
