//! A control with a real store, a real socket and real repositories, on a fake engine and a fake proxy.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(unreachable_pub, reason = "it is a module of a test and of the crate")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test fails by a panic"
)]
#![allow(clippy::needless_pass_by_value, clippy::must_use_candidate, reason = "what reads best in a test")]

use std::{path::PathBuf, sync::Arc, time::Instant};

use futures_util::StreamExt as _;
use paas_acme::{AcmeAuthority, AcmeSettings};
use paas_certs::{Keeper, KeeperSettings, SystemClock};
use paas_control::{
    AccessLogDirectory, AuthorizedKeys, Client, ClientError, ControlState, DeployEvents, serve,
    wire::{ApiError, KeyInfo},
};
use paas_deploy::{DeploySettings, Deployer, FakeProxy};
use paas_docker::FakeEngine;
use paas_domain::{
    AppName, ConfigKey, Declared, DeployEvent, DeployKind, DeployState, HealthCheck, Hostname, KeyId,
    KeyName, Mount, MountPath, Outcome, ProcessType, ReleaseSpec, Secret, VolumeName,
};
use paas_git::Repositories;
use paas_proxy::ProxyClient;
use paas_store::{Access, AddressPool, App, NewDeploy, NewRelease, PublicKey, SecretKey, Store};
use tempfile::TempDir;
use tokio::{net::UnixListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// A user that nobody is.
pub const SSH_UID: u32 = 54_321;

pub struct World {
    pub dir: TempDir,
    pub engine: FakeEngine,
    pub proxy: FakeProxy,
    pub deployer: Arc<Deployer>,
    pub state: ControlState,
}

pub struct Server {
    pub world: World,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
    socket: PathBuf,
}

/// A keeper that is asked and never runs: it reaches neither an authority nor a proxy.
fn keeper(store: &Store, dir: &std::path::Path, bell: Arc<tokio::sync::Notify>) -> Arc<Keeper> {
    let authority = AcmeAuthority::new(AcmeSettings {
        directory: "https://authority.example/directory".into(),
        root: None,
        email: None,
        external_account: None,
        profile: None,
    });
    let settings =
        KeeperSettings { domain: "example.org".into(), preflight: None, dns_hook: None, orders_at_once: 1 };
    let proxy = ProxyClient::new(dir.join("no-proxy.sock"));
    Keeper::new(store.clone(), proxy, Arc::new(authority.unwrap()), Arc::new(SystemClock), bell, settings)
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SecretKey::create(&dir.path().join("secret.key")).unwrap();
        let pool = AddressPool::parse("10.208.0.0/12").unwrap();
        let store = Store::open(&dir.path().join("paas.db"), key, pool).unwrap();
        let engine = FakeEngine::new(store.instance_label());
        let proxy = FakeProxy::default();
        let settings = DeploySettings {
            domain: "example.org".into(),
            public_port: 80,
            https_port: Some(443),
            data: dir.path().into(),
            min_free: 0,
            keep_releases: 5,
        };
        let deployer =
            Deployer::new(store.clone(), Arc::new(engine.clone()), Arc::new(proxy.clone()), settings);
        let certificates = keeper(&store, dir.path(), deployer.names_changed());
        let repositories = dir.path().join("repos");
        std::fs::create_dir(&repositories).unwrap();
        let state = ControlState {
            deployer: Arc::clone(&deployer),
            certificates,
            repositories: Repositories::new(repositories, dir.path().join("hooks")),
            access_logs: AccessLogDirectory::new(dir.path()),
            keys: AuthorizedKeys {
                path: dir.path().join("authorized_keys"),
                binary: "/usr/local/bin/paas".into(),
                config: None,
            },
            ssh_user_uid: Some(SSH_UID),
            remote: "paas@example.org:".into(),
            version: "1.2.3".into(),
            started: Instant::now(),
        };
        Self { dir, engine, proxy, deployer, state }
    }

    pub fn store(&self) -> &Store {
        self.deployer.store()
    }

    /// A key with its own, valid public key.
    pub fn key(&self, key_name: &str, access: &Access) -> KeyId {
        let parsed = PublicKey::parse(&public_key(key_name)).unwrap();
        self.store().add_key(&KeyName::new(key_name).unwrap(), &parsed, access).unwrap().id
    }

    pub fn app(&self, name: &str) -> App {
        self.store().create_app(&app_name(name), "example.org").unwrap()
    }

    /// An app whose first release serves, as a deploy would have left it, without any container.
    pub fn deployed(&self, name: &str) -> App {
        let app = self.app(name);
        self.release(&app, spec());
        self.store().get_app_by_id(app.id).unwrap()
    }

    pub fn release(&self, app: &App, spec: ReleaseSpec) {
        let store = self.store();
        let new =
            NewDeploy { app: app.id, kind: DeployKind::Push, commit: None, requested_by: "test".into() };
        let deploy = store.create_deploy(new).unwrap().id;
        let new = NewRelease { deploy, spec: &spec, description: "First".into(), created_by: "test".into() };
        store.advance_deploy(deploy, DeployState::Building).unwrap();
        store.create_release(new).unwrap();
        store.plan_containers(deploy, &[(ProcessType::web(), 1)]).unwrap();
        store.advance_deploy(deploy, DeployState::Checking).unwrap();
        store.switch_deploy(deploy).unwrap();
        store.advance_deploy(deploy, DeployState::Draining).unwrap();
        store.end_deploy(deploy, Outcome::Done, None).unwrap();
    }

    /// Starts the container of every row of the app, as a deploy would have.
    pub async fn start_containers(&self, app: &App) -> Vec<String> {
        let rows = self.store().containers(app.id).unwrap();
        let mut names = Vec::new();
        for row in rows {
            self.start_container(app, &row).await;
            names.push(row.name);
        }
        names
    }

    pub async fn start_container(&self, app: &App, row: &paas_store::ContainerRow) {
        use paas_docker::Engine as _;
        let engine = &self.engine;
        let labels = std::collections::BTreeMap::from([
            (paas_docker::label::INSTANCE.to_owned(), self.store().instance_label().to_owned()),
            (paas_docker::label::APP.to_owned(), app.id.to_string()),
            (paas_docker::label::CONTAINER.to_owned(), row.id.to_string()),
        ]);
        engine
            .ensure_network(&paas_docker::NetworkSpec {
                name: paas_deploy::network(app.id),
                subnet: app.subnet.cidr(),
                labels: labels.clone(),
            })
            .await
            .unwrap();
        let image = engine.plant_image("test", labels.clone(), paas_docker::fake::FakeImage::default());
        let spec = paas_docker::ContainerSpec {
            name: row.name.clone(),
            image: image.0,
            command: None,
            env: std::collections::BTreeMap::new(),
            labels,
            network: paas_deploy::network(app.id),
            address: Some(row.address),
            aliases: Vec::new(),
            mounts: Vec::new(),
            restart: paas_docker::RestartPolicy::Never,
            memory_bytes: None,
            hostname: "web-1".into(),
        };
        engine.create_container(&spec).await.unwrap();
        engine.start_container(&row.name).await.unwrap();
    }
}

impl Server {
    pub fn start() -> Self {
        Self::start_with(World::new())
    }

    pub fn start_with(world: World) -> Self {
        let socket = world.dir.path().join("paas.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let shutdown = CancellationToken::new();
        let (state, token) = (world.state.clone(), shutdown.clone());
        let task = tokio::spawn(async move { serve(listener, state, token).await.unwrap() });
        Self { world, shutdown, task, socket }
    }

    /// The administrator on the server.
    pub fn root(&self) -> Client {
        Client::new(self.socket.clone(), None)
    }

    /// Somebody with that ssh key.
    pub fn with_key(&self, key: KeyId) -> Client {
        Client::new(self.socket.clone(), Some(key))
    }

    pub fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    pub fn keys_file(&self) -> String {
        std::fs::read_to_string(self.world.dir.path().join("authorized_keys")).unwrap()
    }
}

pub fn spec() -> ReleaseSpec {
    ReleaseSpec {
        image: "sha256:1".into(),
        commit: None,
        config: std::collections::BTreeMap::new(),
        processes: std::collections::BTreeMap::from([(ProcessType::web(), None)]),
        release_command: None,
        mounts: Vec::new(),
        port: 3000,
        health: HealthCheck::default(),
        drain_timeout: std::time::Duration::from_secs(30),
        stop_grace: std::time::Duration::from_secs(30),
        declared: Declared::default(),
    }
}

pub fn app_name(name: &str) -> AppName {
    AppName::new(name).unwrap()
}

pub fn host(name: &str) -> Hostname {
    Hostname::new(name).unwrap()
}

pub fn var(name: &str) -> ConfigKey {
    ConfigKey::new(name).unwrap()
}

pub fn secret(value: &str) -> Secret {
    Secret::new(value)
}

pub fn volume(name: &str) -> VolumeName {
    VolumeName::new(name).unwrap()
}

pub fn path(path: &str) -> MountPath {
    MountPath::new(path).unwrap()
}

pub fn mount(name: &str, at: &str) -> Mount {
    Mount { volume: volume(name), path: path(at) }
}

/// An ed25519 public key made out of a name: 4-byte lengths, the type, 32 bytes (RFC 8709 §4).
pub fn public_key(seed: &str) -> String {
    let mut blob = Vec::new();
    for part in [b"ssh-ed25519".to_vec(), seed.bytes().cycle().take(32).collect()] {
        blob.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        blob.extend(part);
    }
    format!("ssh-ed25519 {} {seed}@laptop", base64(&blob))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// What control said no with.
#[track_caller]
pub fn refusal<T: std::fmt::Debug>(result: Result<T, ClientError>) -> ApiError {
    match result {
        Err(ClientError::Refused(error)) => error,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// All events of a deploy, which must end within the deadline.
pub async fn all(events: DeployEvents) -> Vec<DeployEvent> {
    soon(events.map(Result::unwrap).collect()).await
}

/// A future that must be ready soon: generous for a loaded machine, and never waited out by a test that passes.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(std::time::Duration::from_secs(20), future).await.expect("it takes too long")
}

pub fn names(keys: &[KeyInfo]) -> Vec<&str> {
    keys.iter().map(|key| key.name.as_str()).collect()
}

/// A bare repository of the app with one commit that has a Dockerfile; its id.
pub fn commit(world: &World, app: &App) -> paas_domain::CommitId {
    let repository = git2::Repository::open_bare(world.state.repositories.ensure(app.id).unwrap()).unwrap();
    let blob = repository.blob(b"FROM scratch\n").unwrap();
    let mut tree = repository.treebuilder(None).unwrap();
    tree.insert("Dockerfile", blob, 0o100_644).unwrap();
    let tree = repository.find_tree(tree.write().unwrap()).unwrap();
    let author = git2::Signature::new("Ann", "ann@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
    let id = repository.commit(None, &author, &author, "First", &tree, &[]).unwrap();
    paas_domain::CommitId::new(id.to_string()).unwrap()
}
