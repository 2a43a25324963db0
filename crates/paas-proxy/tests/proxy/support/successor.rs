use std::{
    fmt, io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use paas_proxy::{HandOver, Limits, ProxyConfig, ProxyError, Successor, run};
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Kept, TestProxy, config_in, within};

/// Starts further proxies in this process, each the successor of the one before.
#[derive(Clone)]
pub struct Next(Arc<State>);

struct State {
    directory: PathBuf,
    limits: Limits,
    http3: bool,
    runtime: Handle,
    shutdown: CancellationToken,
    took_over: AtomicU64,
    running: Mutex<Vec<JoinHandle<Result<(), ProxyError>>>>,
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

impl Next {
    fn config(&self) -> ProxyConfig {
        let mut config = config_in(&self.0.directory, self.0.limits.clone());
        config.http3 = self.0.http3;
        config.hand_over.successor = Some(Arc::new(self.clone()));
        config
    }

    /// How often another proxy has taken over.
    pub fn took_over(&self) -> u64 {
        self.0.took_over.load(Ordering::SeqCst)
    }

    /// Why the newest one has ended.
    pub async fn last_error(&self) -> ProxyError {
        let newest = self.0.running.lock().unwrap().pop().unwrap();
        within("the end of a successor", newest).await.unwrap().unwrap_err()
    }

    /// Ends the last one, and waits for all.
    pub async fn stop(&self) {
        self.0.shutdown.cancel();
        let running = std::mem::take(&mut *self.0.running.lock().unwrap());
        for proxy in running {
            within("the end of a successor", proxy).await.unwrap().unwrap();
        }
    }
}

impl Successor for Next {
    fn start(&self, socket: OwnedFd) -> io::Result<()> {
        let mut config = self.config();
        config.hand_over = HandOver { predecessor: Some(UnixStream::from(socket)), ..config.hand_over };
        let shutdown = self.0.shutdown.clone();
        let task = self.0.runtime.spawn(async move { run(config, shutdown, |_| {}).await });
        self.0.running.lock().unwrap().push(task);
        Ok(())
    }

    fn took_over(&self, pid: u32) {
        assert_eq!(pid, std::process::id());
        self.0.took_over.fetch_add(1, Ordering::SeqCst);
    }

    fn hangs(&self, pid: u32) {
        panic!("the proxy {pid} hangs");
    }
}

impl TestProxy {
    /// A proxy that can hand over.
    pub async fn start_replaceable(limits: Limits, http3: bool) -> (Self, Next) {
        let directory = tempfile::tempdir().unwrap();
        let next = Next(Arc::new(State {
            directory: directory.path().to_owned(),
            limits: limits.clone(),
            http3,
            runtime: Handle::current(),
            shutdown: CancellationToken::new(),
            took_over: AtomicU64::new(0),
            running: Mutex::default(),
        }));
        let proxy = Self::start_as(directory, limits, |config| {
            if http3 {
                Kept::bind().give_to(config);
            }
            config.hand_over.successor = Some(Arc::new(next.clone()));
        });
        (proxy.await.unwrap(), next)
    }

    /// Waits for the end of a proxy that has handed over.
    pub async fn ended(self) -> tempfile::TempDir {
        within("the end of the proxy", self.task).await.unwrap().unwrap();
        self.directory
    }
}
