use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use paas_proxy::{ProxyClientError, ProxyMetrics, Refusal, RefusalKind, ServiceSpec};
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
    puts: Vec<ServiceSpec>,
    in_flight: BTreeMap<String, u64>,
    drained: BTreeSet<String>,
    away: bool,
    unsure: bool,
    refusal: Option<Refusal>,
    listings: usize,
    metrics: Option<ProxyMetrics>,
}

impl FakeProxy {
    /// Sets how many requests a target has in flight.
    pub fn set_in_flight(&self, target: &str, count: u64) {
        self.state().in_flight.insert(target.to_owned(), count);
        self.0.changed.send_replace(());
    }

    /// Sets what it says it has counted; without it metrics are not answered.
    pub fn set_metrics(&self, metrics: ProxyMetrics) {
        self.state().metrics = Some(metrics);
    }

    /// A proxy that is away answers nothing until it is back.
    pub fn set_away(&self, away: bool) {
        self.state().away = away;
    }

    /// While it is unsure it says of no target whether it is drained, like one whose predecessor does not answer.
    pub fn set_unsure(&self, unsure: bool) {
        self.state().unsure = unsure;
    }

    /// Refuses every service with these words, until it is told otherwise. By itself it refuses what the real one does.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.state().refusal = refusal;
    }

    /// The service of that name as it is now.
    pub fn service(&self, name: &str) -> Option<ServiceSpec> {
        self.state().services.get(name).cloned()
    }

    /// How often everything it has was asked for.
    pub fn listings(&self) -> usize {
        self.state().listings
    }

    /// Every service as it was put, in order.
    pub fn puts(&self) -> Vec<ServiceSpec> {
        self.state().puts.clone()
    }

    /// Resolves when the service of that name is as wanted.
    pub async fn until(&self, name: &str, wanted: impl Fn(&ServiceSpec) -> bool) {
        let mut changed = self.0.changed.subscribe();
        // The sender lives in `self`.
        while !self.service(name).as_ref().is_some_and(&wanted) && changed.changed().await.is_ok() {}
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

impl State {
    fn refuse_unsure(&self) -> Result<(), ProxyClientError> {
        if !self.unsure {
            return Ok(());
        }
        let message = "the proxy before this one did not answer".to_owned();
        Err(ProxyClientError::Refused(Refusal { kind: RefusalKind::Other, message }))
    }

    /// As the real one: what receives requests is not waited for.
    fn refuse_active(&self, target: &str) -> Result<(), ProxyClientError> {
        let is_active = self.services.values().any(|service| {
            let candidate = service.candidate.iter().flat_map(|candidate| &candidate.targets);
            service.targets.iter().chain(candidate).any(|active| active.id == target)
        });
        if !is_active {
            return Ok(());
        }
        Err(ProxyClientError::Refused(Refusal {
            kind: RefusalKind::TargetActive { target: target.to_owned() },
            message: format!("the target {target} receives requests"),
        }))
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

    async fn metrics(&self) -> Result<ProxyMetrics, ProxyClientError> {
        self.here()?.metrics.clone().ok_or_else(unreachable_proxy)
    }

    async fn put_service(&self, service: &ServiceSpec) -> Result<(), ProxyClientError> {
        let mut state = self.here()?;
        let refused = match &state.refusal {
            Some(refusal) => Err(refusal.clone()),
            None => service.check_beside(state.services.values()),
        };
        refused.map_err(ProxyClientError::Refused)?;
        state.services.insert(service.name.clone(), service.clone());
        state.puts.push(service.clone());
        drop(state);
        self.0.changed.send_replace(());
        Ok(())
    }

    async fn delete_service(&self, name: &str) -> Result<(), ProxyClientError> {
        self.here()?.services.remove(name);
        Ok(())
    }

    async fn services(&self) -> Result<Vec<ServiceSpec>, ProxyClientError> {
        let mut state = self.here()?;
        state.listings += 1;
        Ok(state.services.values().cloned().collect())
    }

    async fn wait_drained(&self, target: &str, deadline: Duration) -> Result<u64, ProxyClientError> {
        self.here()?.refuse_unsure()?;
        self.here()?.refuse_active(target)?;
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
