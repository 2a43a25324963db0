use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    api::{DeleteOutcome, DrainOutcome, PutOutcome, ServiceSpec, ServiceStatus, TargetState, TargetStatus},
    refusal::Refusal,
    router::{Service, Table},
    spec_check::{check_against, check_spec},
    state_file::{LoadError, SavedTable, StateFile},
    target::Target,
};

/// What cannot be saved, when it cannot.
const SAVED: &str = "the routing table";

/// The routing table in force and the targets behind it. Requests read it without a lock; commands change it one at a time.
#[derive(Debug)]
pub(crate) struct Registry {
    table: ArcSwap<Table>,
    /// Every target that is not retired, by id; also those no table names any more.
    targets: Mutex<HashMap<String, Arc<Target>>>,
    state_file: StateFile,
    commands: tokio::sync::Mutex<()>,
}

impl Registry {
    /// Reads the table from disk. A service in it that cannot be used is left out: one bad entry must not keep the others down.
    pub(crate) fn load(state_file: StateFile) -> Result<Self, LoadError> {
        let saved = state_file.load()?.unwrap_or_else(|| SavedTable::new(0, Vec::new()));
        let registry = Self {
            table: ArcSwap::from_pointee(Table::default()),
            targets: Mutex::default(),
            state_file,
            commands: tokio::sync::Mutex::default(),
        };
        let mut specs = BTreeMap::new();
        for spec in saved.services {
            let so_far = registry.build(0, &specs);
            let checked = check_spec(&spec).and_then(|()| check_against(&spec, &so_far, &registry.targets()));
            if let Err(refusal) = checked {
                tracing::error!(service = %spec.name, error = %refusal, "a saved service is left out");
                continue;
            }
            specs.insert(spec.name.clone(), spec);
        }
        registry.swap(saved.generation, &specs);
        Ok(registry)
    }

    /// The table in force.
    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Replaces one service, hosts and targets at once. On disk before it is in force, and in force before this returns.
    pub(crate) async fn put(&self, spec: ServiceSpec) -> Result<PutOutcome, Refusal> {
        check_spec(&spec)?;
        let _one_at_a_time = self.commands.lock().await;
        let table = self.table();
        if table.services.get(&spec.name).is_some_and(|service| service.spec == spec) {
            return Ok(PutOutcome { generation: table.generation, changed: false, removed: Vec::new() });
        }
        check_against(&spec, &table, &self.targets())?;
        let mut specs = specs_of(&table);
        specs.insert(spec.name.clone(), spec);
        let removed = self.commit(table.generation + 1, specs).await?;
        Ok(PutOutcome { generation: table.generation + 1, changed: true, removed })
    }

    /// Removes a service; its targets drain.
    pub(crate) async fn delete(&self, name: &str) -> Result<DeleteOutcome, Refusal> {
        let _one_at_a_time = self.commands.lock().await;
        let table = self.table();
        let mut specs = specs_of(&table);
        if specs.remove(name).is_none() {
            return Ok(DeleteOutcome { generation: table.generation, existed: false, removed: Vec::new() });
        }
        let removed = self.commit(table.generation + 1, specs).await?;
        Ok(DeleteOutcome { generation: table.generation + 1, existed: true, removed })
    }

    /// Waits until a target has no request in flight; at the deadline ends what is left. Unknown targets are drained.
    pub(crate) async fn wait_drained(&self, id: &str, timeout: Duration) -> Result<DrainOutcome, Refusal> {
        let Some(target) = self.targets().get(id).cloned() else {
            return Ok(DrainOutcome { in_flight_left: 0 });
        };
        let settled = tokio::time::timeout(timeout, target.settled()).await;
        let in_flight_left = match settled {
            Ok(TargetState::Active) => return Err(Refusal::target_active(id, &target.service)),
            Ok(_) => 0,
            Err(_) => target.cut_off(),
        };
        self.forget_retired();
        Ok(DrainOutcome { in_flight_left })
    }

    /// Every service as it runs.
    pub(crate) fn services(&self) -> Vec<ServiceStatus> {
        let table = self.table();
        let targets = self.targets();
        let status = |service: &Arc<Service>| {
            let former = targets.values().filter(|target| {
                target.service == service.spec.name && target.state() == TargetState::Draining
            });
            let targets: Vec<TargetStatus> =
                service.targets.iter().chain(former).map(|target| target.status()).collect();
            ServiceStatus { spec: service.spec.clone(), targets }
        };
        table.services.values().map(status).collect()
    }

    /// How many targets are draining.
    pub(crate) fn draining(&self) -> usize {
        self.targets().values().filter(|target| target.state() == TargetState::Draining).count()
    }

    /// Closes connections to targets that have been idle too long.
    pub(crate) fn sweep_pools(&self, max_idle: Duration) {
        let targets: Vec<_> = self.targets().values().cloned().collect();
        for target in targets {
            target.pool.sweep(max_idle);
        }
    }

    /// Waits until no command is being carried out.
    pub(crate) async fn settle(&self) {
        drop(self.commands.lock().await);
    }

    /// Disk first: what was answered survives a crash.
    async fn commit(
        &self,
        generation: u64,
        specs: BTreeMap<String, ServiceSpec>,
    ) -> Result<Vec<String>, Refusal> {
        let saved = SavedTable::new(generation, specs.values().cloned().collect());
        let state_file = self.state_file.clone();
        let written = tokio::task::spawn_blocking(move || state_file.save(&saved)).await;
        match written {
            Ok(Ok(())) => Ok(self.swap(generation, &specs)),
            Ok(Err(error)) => Err(Refusal::not_durable(SAVED, &error)),
            Err(error) => Err(Refusal::not_durable(SAVED, &error)),
        }
    }

    /// Puts the table in force, then takes the targets it no longer names out of service. In this order, because a request whose
    /// target left service looks for another in the table that is in force. Gives the ids of those targets.
    fn swap(&self, generation: u64, specs: &BTreeMap<String, ServiceSpec>) -> Vec<String> {
        let table = self.build(generation, specs);
        self.table.store(Arc::new(table));
        let table = self.table();
        let named: HashMap<&str, &Arc<Target>> = table
            .services
            .values()
            .flat_map(|service| &service.targets)
            .map(|target| (target.id.as_str(), target))
            .collect();
        let mut removed = Vec::new();
        for target in self.targets().values() {
            if target.state() == TargetState::Active && !named.contains_key(target.id.as_str()) {
                target.drain();
                removed.push(target.id.clone());
            }
        }
        self.forget_retired();
        removed.sort_unstable();
        removed
    }

    /// Makes a table of the known targets and new ones. A draining target that is named again is active again.
    fn build(&self, generation: u64, specs: &BTreeMap<String, ServiceSpec>) -> Table {
        let mut targets = self.targets();
        let services = specs.values().map(|spec| {
            let targets = spec.targets.iter().map(|wanted| {
                let known = targets.get(&wanted.id).filter(|target| target.reactivate());
                let target = known.cloned().unwrap_or_else(|| Target::new(wanted, &spec.name));
                targets.insert(wanted.id.clone(), Arc::clone(&target));
                target
            });
            let targets = targets.collect();
            (spec.name.clone(), Arc::new(Service::new(spec.clone(), targets)))
        });
        Table::new(generation, services.collect())
    }

    fn forget_retired(&self) {
        self.targets().retain(|_, target| target.state() != TargetState::Retired);
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<String, Arc<Target>>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn specs_of(table: &Table) -> BTreeMap<String, ServiceSpec> {
    table.services.iter().map(|(name, service)| (name.clone(), service.spec.clone())).collect()
}
