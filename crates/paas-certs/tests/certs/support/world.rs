use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use paas_acme::{Authority, Preflight};
use paas_certs::{Clock as _, Keeper, KeeperSettings, NameStatus};
use paas_domain::{AppName, DeployKind, DeployState, Hostname, Outcome, ReleaseSpec};
use paas_proxy::{AdminSocket, CertificateStatus, HandOver, Limits, ProxyClient, ProxyConfig};
use paas_store::{AddressPool, App, NewDeploy, NewRelease, SecretKey, Store};
use tempfile::TempDir;
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{FakeAuthority, FakeClock};

/// A store and a running proxy, which outlive every keeper.
pub struct World {
    /// Removed with it.
    _dir: TempDir,
    pub store: Store,
    pub proxy: ProxyClient,
    pub clock: FakeClock,
    pub authority: FakeAuthority,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// One life of a keeper.
pub struct Life {
    pub keeper: Arc<Keeper>,
    bell: Arc<Notify>,
    clock: FakeClock,
}

impl World {
    /// An authority that signs for so long.
    pub async fn new(lifetime: Duration) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::at(any, any, FakeClock::new(), lifetime).await
    }

    /// A proxy at these addresses, for HTTP and HTTPS.
    pub async fn at(http: SocketAddr, https: SocketAddr, clock: FakeClock, lifetime: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SecretKey::create(&dir.path().join("secret.key")).unwrap();
        let pool = AddressPool::parse("10.208.0.0/12").unwrap();
        let store = Store::open(&dir.path().join("paas.db"), key, pool).unwrap();
        let authority = FakeAuthority::new(&clock, lifetime);
        let socket = dir.path().join("proxy.sock");
        let config = ProxyConfig {
            http: vec![http],
            https: vec![https],
            https_public_port: 443,
            http3: false,
            hand_over: HandOver::default(),
            inherited: Vec::new(),
            inherited_udp: Vec::new(),
            admin: AdminSocket::new(&socket),
            state_file: dir.path().join("table.json"),
            certificates: dir.path().join("certificates"),
            access_logs: dir.path().join("access"),
            limits: Limits::default(),
        };
        let stop = CancellationToken::new();
        let ready = Arc::new(Notify::new());
        let running = tokio::spawn({
            let (stop, ready) = (stop.clone(), Arc::clone(&ready));
            async move { paas_proxy::run(config, stop, move |_| ready.notify_one()).await.unwrap() }
        });
        ready.notified().await;
        let proxy = ProxyClient::new(&socket);
        Self { _dir: dir, store, proxy, clock, authority, stop, running }
    }

    /// A keeper that orders without looking first.
    pub fn life(&self) -> Life {
        self.life_with(None)
    }

    pub fn life_with(&self, preflight: Option<Preflight>) -> Life {
        self.life_of(Arc::new(self.authority.clone()), preflight)
    }

    pub fn life_of(&self, authority: Arc<dyn Authority>, preflight: Option<Preflight>) -> Life {
        let settings = KeeperSettings {
            domain: "apps.paas-tests.org".into(),
            preflight,
            dns_hook: None,
            orders_at_once: 10,
        };
        let bell = Arc::new(Notify::new());
        let keeper = Keeper::new(
            self.store.clone(),
            self.proxy.clone(),
            authority,
            Arc::new(self.clock.clone()),
            Arc::clone(&bell),
            settings,
        );
        Life { keeper, bell, clock: self.clock.clone() }
    }

    pub fn app(&self, name: &str) -> App {
        self.store.create_app(&AppName::new(name).unwrap(), "example.org").unwrap()
    }

    pub fn domain(&self, app: &App, name: &str) -> Hostname {
        let host = Hostname::new(name).unwrap();
        self.store.add_domain(app.id, &host, |_| false).unwrap();
        host
    }

    /// As after its first deploy: its own name counts from now on.
    pub fn deployed(&self, app: &App) {
        let new = NewDeploy { app: app.id, kind: DeployKind::Push, commit: None, requested_by: "ann".into() };
        let deploy = self.store.create_deploy(new).unwrap().id;
        let spec: ReleaseSpec = spec();
        let new = NewRelease { deploy, spec: &spec, description: "First".into(), created_by: "ann".into() };
        self.store.create_release(new).unwrap();
        self.store.switch_deploy(deploy).unwrap();
        self.store.advance_deploy(deploy, DeployState::Draining).unwrap();
        self.store.end_deploy(deploy, Outcome::Done, None).unwrap();
    }

    /// What the proxy serves the name with.
    pub async fn served(&self, name: &str) -> Option<CertificateStatus> {
        self.proxy.certificates().await.unwrap().into_iter().find(|status| status.host == name)
    }

    /// Fails when the proxy serves a name with a certificate that has ended.
    #[track_caller]
    pub fn check(&self, served: &[CertificateStatus]) {
        for status in served {
            assert!(status.not_after > self.clock.now(), "{} ended {}", status.host, status.not_after);
        }
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

impl Life {
    /// Looks until nothing is due now; says how long nothing will be.
    pub async fn settle(&self) -> Duration {
        loop {
            let wait = self.keeper.round().await.unwrap();
            self.keeper.settled().await;
            // Rung by whatever was under way when it ended.
            if self.bell.notified().now_or_never().is_none() {
                return wait;
            }
        }
    }

    /// Lives for so long, checking before every look that nothing that is served has ended.
    pub async fn pass(&self, world: &World, duration: Duration) {
        let end = self.clock.now() + duration;
        while self.clock.now() < end {
            let wait = self.settle().await;
            let left = Duration::try_from(end - self.clock.now()).unwrap();
            self.clock.advance(wait.min(left));
            world.check(&world.proxy.certificates().await.unwrap());
        }
        self.settle().await;
    }

    pub fn status(&self, name: &str) -> NameStatus {
        let all = self.keeper.status().unwrap();
        all.into_iter()
            .find(|status| status.host.as_str() == name)
            .unwrap_or_else(|| panic!("{name} is not there"))
    }
}

pub fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

pub fn hours(count: u64) -> Duration {
    Duration::from_hours(count)
}

pub fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

fn spec() -> ReleaseSpec {
    serde_json::from_value(serde_json::json!({
        "image": "sha256:a", "commit": null, "config": {}, "processes": { "web": null }, "release_command": null,
        "mounts": [], "port": 3000, "health": { "path": null, "timeout": { "secs": 60, "nanos": 0 } },
        "drain_timeout": { "secs": 30, "nanos": 0 }, "stop_grace": { "secs": 30, "nanos": 0 },
    }))
    .unwrap()
}
