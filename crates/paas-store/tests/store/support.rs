//! A database in a directory of its own, and short ways to fill it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use paas_domain::{
    AppId, AppName, CommitId, ConfigKey, Declared, DeployId, DeployKind, DeployState, HealthCheck, MountPath,
    Outcome, ProcessType, ReleaseSpec, Secret, VolumeName,
};
use paas_store::{AddressPool, App, ErrorKind, NewDeploy, NewRelease, Release, SecretKey, Store, StoreError};
use rusqlite::Connection;

/// The server's, below which every app has a hostname of its own.
pub const DOMAIN: &str = "paas.test";

pub struct Place {
    pub store: Store,
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::with_pool("10.208.0.0/12")
    }

    pub fn with_pool(pool: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path(), pool);
        Self { store, dir }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn database(&self) -> PathBuf {
        self.dir().join("paas.db")
    }

    /// Closes it and opens it again.
    pub fn reopen(self) -> Self {
        let Self { store, dir } = self;
        drop(store);
        let store = open(dir.path(), "10.208.0.0/12");
        Self { store, dir }
    }

    /// Closes it, so that nobody has the file open.
    pub fn close(self) -> tempfile::TempDir {
        self.dir
    }

    /// The file behind the store's back.
    pub fn raw(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    pub fn app(&self, name: &str) -> App {
        self.store.create_app(&app_name(name), DOMAIN).unwrap()
    }

    pub fn again(&self, app: &App) -> App {
        self.store.get_app_by_id(app.id).unwrap()
    }

    pub fn deploy(&self, app: &App) -> DeployId {
        self.store.create_deploy(new_deploy(app.id)).unwrap().id
    }

    pub fn release(&self, deploy: DeployId, image: &str) -> Release {
        let spec = spec(image);
        let new =
            NewRelease { deploy, spec: &spec, description: "A change".into(), created_by: "ann".into() };
        self.store.create_release(new).unwrap()
    }

    /// Takes a deploy that has its release through the switch to its end. Its containers stay.
    pub fn finish(&self, deploy: DeployId) {
        self.store.switch_deploy(deploy).unwrap();
        self.store.advance_deploy(deploy, DeployState::Draining).unwrap();
        self.store.end_deploy(deploy, Outcome::Done, None).unwrap();
    }

    /// A whole push without containers.
    pub fn push(&self, app: &App, image: &str) -> Release {
        let deploy = self.deploy(app);
        let release = self.release(deploy, image);
        self.finish(deploy);
        release
    }
}

pub fn open(dir: &Path, pool: &str) -> Store {
    let key = SecretKey::load_or_create(&dir.join("secret.key")).unwrap();
    Store::open(&dir.join("paas.db"), key, AddressPool::parse(pool).unwrap()).unwrap()
}

pub fn app_name(text: &str) -> AppName {
    AppName::new(text).unwrap()
}

pub fn config_key(text: &str) -> ConfigKey {
    ConfigKey::new(text).unwrap()
}

pub fn volume_name(text: &str) -> VolumeName {
    VolumeName::new(text).unwrap()
}

pub fn mount_path(text: &str) -> MountPath {
    MountPath::new(text).unwrap()
}

pub fn process_type(text: &str) -> ProcessType {
    ProcessType::new(text).unwrap()
}

pub fn set(name: &str, value: &str) -> (ConfigKey, Option<Secret>) {
    (config_key(name), Some(Secret::new(value)))
}

pub fn unset(name: &str) -> (ConfigKey, Option<Secret>) {
    (config_key(name), None)
}

pub fn commit_id() -> CommitId {
    CommitId::new("0123456789abcdef0123456789abcdef01234567").unwrap()
}

pub fn new_deploy(app: AppId) -> NewDeploy {
    NewDeploy { app, kind: DeployKind::Push, commit: Some(commit_id()), requested_by: "ann".into() }
}

pub fn spec(image: &str) -> ReleaseSpec {
    ReleaseSpec {
        image: image.into(),
        commit: Some(commit_id()),
        config: BTreeMap::from([(config_key("TOKEN"), Secret::new("of the release"))]),
        processes: BTreeMap::from([(process_type("web"), None)]),
        release_command: None,
        mounts: Vec::new(),
        port: 3000,
        health: HealthCheck::default(),
        drain_timeout: Duration::from_secs(30),
        stop_grace: Duration::from_secs(10),
        declared: Declared::default(),
    }
}

/// It failed, with an error of this kind.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, kind: ErrorKind) -> StoreError {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    error
}
