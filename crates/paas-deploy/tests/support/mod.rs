//! A server whose engine and proxy are fakes with state, whose database and repository are real, and whose control can be killed at any call.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "test support"
)]

mod crashing;
mod health;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt as _;
use paas_deploy::{BranchNow, DeployHandle, DeploySettings, Deployer, FakeProxy, PushRequest};
use paas_docker::{ContainerState, FakeEngine, RestartPolicy};
use paas_domain::{AppId, AppName, CommitId, ConfigKey, DeployEvent, DeployId, DeployState, Outcome, Secret};
use paas_proxy::{HoldPolicy, ServiceSpec, ServiceState, TargetSpec};
use paas_store::{AddressPool, App, SecretKey, Setting, Store};
use tempfile::TempDir;

pub use self::crashing::{Crash, Side, Together};
use self::health::HealthServer;

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Everything that outlives control.
pub struct Server {
    dir: TempDir,
    pub engine: FakeEngine,
    pub proxy: FakeProxy,
    pub together: Together,
    health: HealthServer,
}

/// One life of control.
pub struct Control {
    engine: FakeEngine,
    proxy: FakeProxy,
    pub deployer: Arc<Deployer>,
    pub store: Store,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    /// With one app, `blog`, that was never deployed.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        SecretKey::create(&dir.path().join("secret.key")).unwrap();
        let store = open(dir.path());
        let health = HealthServer::start();
        let app = store.create_app(&name("blog"), "example.org").unwrap();
        let port = (ConfigKey::new("PORT").unwrap(), Some(Secret::new(health.port().to_string())));
        store.change_config(app.id, &[port]).unwrap();
        git2::Repository::init_bare(dir.path().join("blog.git")).unwrap();
        let engine = FakeEngine::new(store.instance_label());
        Self { engine, proxy: FakeProxy::default(), together: Together::default(), health, dir }
    }

    /// Control starts: takes up what an earlier life left, and runs.
    pub fn control(&self) -> Control {
        self.control_with(None)
    }

    /// Control that will stand still for ever at a call, as a killed process would.
    pub fn control_with(&self, crash: Option<&Crash>) -> Control {
        let control = self.control_at_rest(crash);
        control.block_on(async { control.deployer.resume().unwrap() });
        let running = Arc::clone(&control.deployer);
        control.spawn(async move { running.run().await });
        control
    }

    /// Control that has not looked at anything yet.
    pub fn control_at_rest(&self, crash: Option<&Crash>) -> Control {
        let store = open(self.dir.path());
        let (engine, proxy) = crashing::wrap(&self.engine, &self.proxy, &self.together, crash);
        let settings = DeploySettings {
            domain: "example.org".to_owned(),
            public_port: 80,
            https_port: Some(443),
            data: self.dir.path().to_owned(),
            min_free: 0,
            keep_releases: 3,
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let deployer = Deployer::new(store.clone(), engine, proxy, settings);
        Control { engine: self.engine.clone(), proxy: self.proxy.clone(), deployer, store, runtime }
    }

    /// Commits files to the repository, as a received push has.
    pub fn commit(&self, files: &[(&str, &str)]) -> CommitId {
        let repository = git2::Repository::open_bare(self.repository()).unwrap();
        let mut tree = repository.treebuilder(None).unwrap();
        for (path, text) in files {
            let blob = repository.blob(text.as_bytes()).unwrap();
            tree.insert(path, blob, 0o100_644).unwrap();
        }
        let tree = repository.find_tree(tree.write().unwrap()).unwrap();
        let author = git2::Signature::new("Ann", "ann@example.org", &git2::Time::new(0, 0)).unwrap();
        let commit = repository.commit(None, &author, &author, "A change", &tree, &[]).unwrap();
        CommitId::new(commit.to_string()).unwrap()
    }

    /// Changes rows as no method of the store would.
    pub fn tamper(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.dir.path().join("paas.db")).unwrap();
        database.busy_timeout(DEADLINE).unwrap();
        database.execute(sql, []).unwrap();
    }

    pub fn repository(&self) -> PathBuf {
        self.dir.path().join("blog.git")
    }

    /// Makes every probe answer this from now on.
    pub fn answer(&self, reply: &'static str) {
        self.health.answer(reply);
    }
}

impl Control {
    pub fn app(&self) -> App {
        self.store.get_app(&name("blog")).unwrap()
    }

    pub fn set(&self, setting: Setting, value: &str) {
        self.store.change_settings(self.app().id, &[(setting, Some(value.to_owned()))]).unwrap();
    }

    pub fn unset(&self, setting: Setting) {
        self.store.change_settings(self.app().id, &[(setting, None)]).unwrap();
    }

    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(async { tokio::time::timeout(DEADLINE, future).await.expect("in time") })
    }

    pub fn spawn<F: Future<Output: Send> + Send + 'static>(
        &self,
        future: F,
    ) -> tokio::task::JoinHandle<F::Output> {
        self.runtime.spawn(future)
    }

    /// Begins a push, as the hook asks for it.
    pub fn begin_push(&self, server: &Server, commit: &CommitId) -> DeployHandle {
        let push = format!("push-{commit}");
        let request = PushRequest {
            push,
            app: self.app().id,
            branch: "main".to_owned(),
            old: None,
            new: commit.clone(),
            branch_now: BranchNow::new(|| Ok(None)),
            repository: server.repository(),
            quarantine: None,
            requested_by: "ann".to_owned(),
        };
        let _guard = self.runtime.enter();
        self.deployer.push(request).unwrap()
    }

    /// Pushes and waits for the end.
    pub fn push(&self, server: &Server, commit: &CommitId) -> Told {
        let handle = self.begin_push(server, commit);
        let told = self.told(handle);
        self.deployer.push_received(&format!("push-{commit}"));
        told
    }

    /// Reads a deploy to its end in a task.
    pub fn follow(&self, handle: DeployHandle) -> tokio::task::JoinHandle<()> {
        self.spawn(handle.events().for_each(|_| std::future::ready(())))
    }

    pub fn told(&self, handle: DeployHandle) -> Told {
        Told(self.block_on(handle.events().collect()))
    }

    /// The process is gone: no task of it takes another step.
    pub fn kill(self) {
        drop(self.deployer);
        self.runtime.shutdown_background();
    }

    /// Waits until no deploy is under way and the reconciler finds nothing more to do.
    pub fn settle(&self) {
        self.block_on(async {
            while !self.store.running_deploys().unwrap().is_empty()
                || self.deployer.reconcile().await.is_err()
                || !self.is_quiet()
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }

    /// The release that is the app's candidate.
    pub fn candidate(&self) -> Option<u32> {
        let candidate = self.store.candidate(self.app().id).unwrap()?;
        Some(self.store.get_release(candidate.release.unwrap()).unwrap().version.0)
    }

    /// The app's service as the proxy has it.
    pub fn service(&self, server: &Server) -> ServiceSpec {
        server.proxy.service(&format!("app-{}", self.app().id)).unwrap()
    }

    /// Whether what follows a row has followed: its container, with the policy of one that is to stay, and its routes.
    fn is_quiet(&self) -> bool {
        let app = self.app();
        let containers = self.engine.containers();
        let is_there = containers.len() == self.store.all_containers().unwrap().len()
            && containers.iter().all(|container| {
                container.restart == RestartPolicy::UnlessStopped
                    && container.state == ContainerState::Running
            });
        let candidate = self.store.candidate(app.id).unwrap();
        let wanted = [app.active_deploy, candidate.as_ref().map(|deploy| deploy.id)];
        let is_clean =
            self.store.containers(app.id).unwrap().iter().all(|row| wanted.contains(&Some(row.deploy)));
        let is_routed = match self.proxy.service(&format!("app-{}", app.id)) {
            None => app.release.is_none(),
            Some(service) => {
                service.state != ServiceState::Held && service.candidate.is_some() == candidate.is_some()
            }
        };
        is_there && is_clean && is_routed
    }

    /// What must hold whenever nothing is under way. Says which release serves.
    pub fn assert_whole(&self, server: &Server) -> Option<u32> {
        let app = self.app();
        for deploy in self.store.list_deploys(app.id, 100).unwrap() {
            assert!(deploy.state.has_ended() || deploy.state == DeployState::Candidate, "{deploy:?}");
        }
        let candidate = self.store.candidate(app.id).unwrap();
        let candidate = candidate.as_ref().map(|deploy| deploy.id);
        let rows = self.store.containers(app.id).unwrap();
        let mut wanted: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
        let mut there: Vec<String> = server.engine.containers().into_iter().map(|c| c.spec.name).collect();
        wanted.sort();
        there.sort();
        assert_eq!(there, wanted, "every container has a row and every row its container");
        assert!(
            rows.iter().all(|row| Some(row.deploy) == app.active_deploy || Some(row.deploy) == candidate),
            "only the active deploy and the candidate have rows"
        );
        let service = server.proxy.service(&format!("app-{}", app.id));
        let targets = |of: Vec<TargetSpec>| {
            let mut ids: Vec<String> = of.into_iter().map(|target| target.id).collect();
            ids.sort();
            ids
        };
        let web = |deploy: Option<DeployId>| -> Vec<String> {
            rows.iter()
                .filter(|row| Some(row.deploy) == deploy)
                .filter(|row| row.process_type.as_ref().is_some_and(paas_domain::ProcessType::is_web))
                .map(|row| row.name.clone())
                .collect()
        };
        let service = service.unwrap_or_default();
        assert_eq!(service.state, ServiceState::Serving);
        assert_eq!(service.policy.hold, HoldPolicy::default());
        assert_eq!(targets(service.targets), web(app.active_deploy), "the proxy routes to the active deploy");
        let routed = service.candidate.map(|spec| targets(spec.targets));
        assert_eq!(routed, candidate.map(|deploy| web(Some(deploy))), "and to the candidate");
        for container in server.engine.containers() {
            assert!(container.state == ContainerState::Running, "{container:?}");
            assert_eq!(container.restart, RestartPolicy::UnlessStopped, "{container:?}");
        }
        app.release.map(|release| self.store.get_release(release).unwrap().version.0)
    }
}

/// What a deploy told.
#[derive(Debug)]
pub struct Told(pub Vec<DeployEvent>);

impl Told {
    pub fn outcome(&self) -> Outcome {
        match self.0.last() {
            Some(DeployEvent::Ended { outcome, .. }) => *outcome,
            other => panic!("a deploy's last event is its end, not {other:?}"),
        }
    }

    pub fn text(&self) -> String {
        let line = |event: &DeployEvent| match event {
            DeployEvent::Step { text } | DeployEvent::Line { text } | DeployEvent::Error { text } => {
                text.clone()
            }
            other => format!("{other:?}"),
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

pub fn name(text: &str) -> AppName {
    AppName::new(text).unwrap()
}

pub fn state_of(control: &Control, app: AppId) -> DeployState {
    control.store.list_deploys(app, 1).unwrap()[0].state
}

fn open(dir: &Path) -> Store {
    let key = SecretKey::load(&dir.join("secret.key")).unwrap();
    // All of 127/8 is this machine: a fake container's address leads to the health server.
    Store::open(&dir.join("paas.db"), key, AddressPool::parse("127.64.0.0/16").unwrap()).unwrap()
}
