use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use paas_proxy::{ProxyClientError, ServiceSpec};
use tokio::sync::watch;

use crate::proxy::Proxy;

/// A proxy with state instead of sockets, for tests: it keeps what it was told, and requests in flight are a number the test sets. Clones share it,
/// so it survives a restart of control.
#[derive(Debug, Clone, Default)]
pub struct FakeProxy(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<String, ServiceSpec>,
    in_flight: BTreeMap<String, u64>,
    drained: BTreeSet<String>,
    away: bool,
}

impl FakeProxy {
    /// Sets how many requests a target has in flight.
    pub fn set_in_flight(&self, target: &str, count: u64) {
        self.state().in_flight.insert(target.to_owned(), count);
        self.0.changed.send_replace(());
    }

    /// A proxy that is away answers nothing until it is back.
    pub fn set_away(&self, away: bool) {
        self.state().away = away;
    }

    /// The service of that name as it is now.
    pub fn service(&self, name: &str) -> Option<ServiceSpec> {
        self.state().services.get(name).cloned()
    }

    /// Which targets somebody waited for until they were drained.
    pub fn drained(&self) -> BTreeSet<String> {
        self.state().drained.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn here(&self) -> Result<std::sync::MutexGuard<'_, State>, ProxyClientError> {
        let state = self.state();
        if state.away { Err(unreachable_proxy()) } else { Ok(state) }
    }
}

fn unreachable_proxy() -> ProxyClientError {
    ProxyClientError::Unreachable {
        socket: "/run/paas/proxy.sock".into(),
        source: std::io::Error::from(std::io::ErrorKind::ConnectionRefused),
    }
}

#[async_trait]
impl Proxy for FakeProxy {
    async fn answers(&self) -> Result<(), ProxyClientError> {
        self.here().map(|_| ())
    }

    async fn put_service(&self, service: &ServiceSpec) -> Result<(), ProxyClientError> {
        self.here()?.services.insert(service.name.clone(), service.clone());
        Ok(())
    }

    async fn delete_service(&self, name: &str) -> Result<(), ProxyClientError> {
        self.here()?.services.remove(name);
        Ok(())
    }

    async fn services(&self) -> Result<Vec<ServiceSpec>, ProxyClientError> {
        Ok(self.here()?.services.values().cloned().collect())
    }

    async fn wait_drained(&self, target: &str, deadline: Duration) -> Result<u64, ProxyClientError> {
        let mut changed = self.0.changed.subscribe();
        let idle = async {
            loop {
                if self.here()?.in_flight.get(target).copied().unwrap_or(0) == 0 {
                    return Ok::<u64, ProxyClientError>(0);
                }
                if changed.changed().await.is_err() {
                    return Ok(0);
                }
            }
        };
        let left = match tokio::time::timeout(deadline, idle).await {
            Ok(left) => left?,
            Err(_) => self.here()?.in_flight.remove(target).unwrap_or(0),
        };
        self.state().drained.insert(target.to_owned());
        Ok(left)
    }
}
