use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use crate::{
    api::{
        DeleteOutcome, DrainOutcome, HostRedirect, PutOutcome, ServiceSpec, ServiceStatus, TargetSpec,
        TargetState, TargetStatus,
    },
    canary::Candidate,
    records::Records,
    refusal::Refusal,
    route_check::{check_circles, take_circles},
    router::{Service, Table},
    spec_check::{check_against, check_spec},
    state_file::{LoadError, SavedTable, StateFile},
    target::Target,
    tunnel::LONGEST_END,
    turn::{Held, Turn},
};

/// How long what was told to end may take: most of it ends at once, WebSockets say goodbye.
const CUT: Duration = LONGEST_END;

/// What cannot be saved, when it cannot.
const SAVED: &str = "the routing table";

/// The routing table in force and the targets behind it. Requests read it without a lock; commands change it one at a time.
#[derive(Debug)]
pub(crate) struct Registry {
    table: ArcSwap<Table>,
    /// The number of the table in force.
    changes: watch::Sender<u64>,
    /// Every target that is not retired, by id; also those no table names any more.
    targets: Mutex<HashMap<String, Arc<Target>>>,
    state_file: StateFile,
    records: Records,
    commands: Turn,
}

impl Registry {
    /// Reads the table from disk. A service in it that cannot be used is left out, and a redirect that leads in a circle: one bad entry must not keep
    /// the others down.
    pub(crate) fn load(state_file: StateFile, records: Records) -> Result<Self, LoadError> {
        let registry = Self {
            table: ArcSwap::from_pointee(Table::default()),
            changes: watch::Sender::new(0),
            targets: Mutex::default(),
            state_file,
            records,
            commands: Turn::default(),
        };
        registry.read()?;
        Ok(registry)
    }

    /// Puts the table on disk in force, as another process has left it there.
    pub(crate) async fn follow(&self) -> Result<(), LoadError> {
        let _one_at_a_time = self.commands.hold().await;
        self.read()
    }

    fn read(&self) -> Result<(), LoadError> {
        let saved = self.state_file.load()?.unwrap_or_else(|| SavedTable::new(0, Vec::new()));
        let mut specs = BTreeMap::new();
        let mut so_far = Table::default();
        for spec in saved.services {
            let checked = check_spec(&spec).and_then(|()| check_against(&spec, &so_far, &self.targets()));
            if let Err(refusal) = checked {
                tracing::error!(service = %spec.name, error = %refusal, "a saved service is left out");
                continue;
            }
            let mut one = BTreeMap::from([(spec.name.clone(), spec)]);
            self.build(0, &one).services.into_values().for_each(|service| so_far.add(service));
            specs.append(&mut one);
        }
        // Only now: until all are there, what a wildcard's redirect leads to looks like the wildcard itself.
        for spec in specs.values_mut() {
            for HostRedirect { host, to, .. } in take_circles(spec, &so_far) {
                tracing::error!(service = %spec.name, host, to, "a saved redirect leads in a circle and is left out");
            }
        }
        self.put_in_force(self.build(saved.generation, &specs));
        Ok(())
    }

    /// The table in force.
    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// The table in force, to be looked at for a moment: cheaper, and never held while waiting.
    pub(crate) fn current(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// Returns when another table is in force than the one of that number.
    pub(crate) async fn changed_since(&self, generation: u64) {
        let mut changes = self.changes.subscribe();
        // The sender lives as long as this.
        let _ = changes.wait_for(|now| *now != generation).await;
    }

    /// Replaces one service, hosts and targets at once. On disk before it is in force, and in force before this returns.
    pub(crate) async fn put(&self, spec: ServiceSpec) -> Result<PutOutcome, Refusal> {
        check_spec(&spec)?;
        let _one_at_a_time = self.turn().await?;
        let table = self.table();
        if table.services.get(&spec.name).is_some_and(|service| service.spec == spec) {
            return Ok(PutOutcome { generation: table.generation, changed: false, removed: Vec::new() });
        }
        check_against(&spec, &table, &self.targets())?;
        check_circles(&spec, &table)?;
        let generation = table.generation + 1;
        let removed = self.commit(table, Change::Put(Box::new(spec))).await?;
        Ok(PutOutcome { generation, changed: true, removed })
    }

    /// Removes a service; its targets drain.
    pub(crate) async fn delete(&self, name: &str) -> Result<DeleteOutcome, Refusal> {
        let _one_at_a_time = self.turn().await?;
        let table = self.table();
        let generation = table.generation;
        if !table.services.contains_key(name) {
            return Ok(DeleteOutcome { generation, existed: false, removed: Vec::new() });
        }
        let removed = self.commit(table, Change::Delete(name.to_owned())).await?;
        Ok(DeleteOutcome { generation: generation + 1, existed: true, removed })
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
            Err(_) => {
                let left = target.cut_off();
                if tokio::time::timeout(CUT, target.settled()).await.is_err() {
                    target.retire();
                }
                left
            }
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
                service.all_targets().chain(former).map(|target| target.status()).collect();
            ServiceStatus { spec: service.spec.clone(), targets, waiting: service.waiting.count() }
        };
        table.services.values().map(status).collect()
    }

    /// Where requests are counted and written down.
    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// How many targets are draining.
    pub(crate) fn draining(&self) -> usize {
        self.targets().values().filter(|target| target.state() == TargetState::Draining).count()
    }

    /// Gives up everything in flight, because the process ends: requests that have no answer yet are answered 504.
    pub(crate) fn cut_off(&self) {
        for target in self.targets().values() {
            target.drain();
            target.cut_off();
        }
    }

    /// Closes connections to targets that have been idle too long.
    pub(crate) fn sweep_pools(&self, max_idle: Duration) {
        let targets: Vec<_> = self.targets().values().cloned().collect();
        for target in targets {
            target.pool.sweep(max_idle);
        }
    }

    /// A command's turn; refused once another process has taken over.
    pub(crate) async fn turn(&self) -> Result<Held<'_>, Refusal> {
        self.commands.take().await
    }

    /// No command changes anything while this is held.
    pub(crate) async fn hold(&self) -> Held<'_> {
        self.commands.hold().await
    }

    /// Waits until no command is being carried out.
    pub(crate) async fn settle(&self) {
        drop(self.commands.hold().await);
    }

    /// Disk first: what was answered survives a crash.
    async fn commit(&self, table: Arc<Table>, change: Change) -> Result<Vec<String>, Refusal> {
        let state_file = self.state_file.clone();
        let write = move || {
            let mut specs: BTreeMap<&str, &ServiceSpec> =
                table.services.iter().map(|(name, service)| (name.as_str(), &service.spec)).collect();
            match &change {
                Change::Put(spec) => specs.insert(&spec.name, spec),
                Change::Delete(name) => specs.remove(name.as_str()),
            };
            let specs: Vec<&ServiceSpec> = specs.into_values().collect();
            let saved = state_file.save(table.generation + 1, &specs);
            drop(specs);
            saved.map(|()| (table, change))
        };
        let written = tokio::task::spawn_blocking(write).await;
        let (table, change) = match written {
            Ok(Ok(written)) => written,
            Ok(Err(error)) => return Err(Refusal::not_durable(SAVED, &error)),
            Err(error) => return Err(Refusal::not_durable(SAVED, &error)),
        };
        let next = match change {
            Change::Delete(name) => table.without(&name),
            Change::Put(spec) => {
                let mut next = table.without(&spec.name);
                let before = table.services.get(&spec.name).map(Arc::as_ref);
                next.add(Arc::new(self.service(&mut self.targets(), &spec, before)));
                next
            }
        };
        Ok(self.put_in_force(next))
    }

    /// Puts the table in force, then takes the targets it no longer names out of service. In this order, because a request whose
    /// target left service looks for another in the table that is in force. Gives the ids of those targets.
    fn put_in_force(&self, table: Table) -> Vec<String> {
        let generation = table.generation;
        self.table.store(Arc::new(table));
        self.changes.send_replace(generation);
        let table = self.table();
        let named: HashMap<&str, &Arc<Target>> = table
            .services
            .values()
            .flat_map(|service| service.all_targets())
            .map(|target| (target.id.as_str(), target))
            .collect();
        let mut removed = Vec::new();
        for target in self.targets().values() {
            if target.state() == TargetState::Active && !named.contains_key(target.id.as_str()) {
                target.drain();
                removed.push(target.id.clone());
            }
        }
        self.records.keep_only(|service| table.services.contains_key(service));
        self.forget_retired();
        removed.sort_unstable();
        removed
    }

    /// Makes a table of the known targets and new ones.
    fn build(&self, generation: u64, specs: &BTreeMap<String, ServiceSpec>) -> Table {
        let before = self.current();
        let mut targets = self.targets();
        let services = specs.values().map(|spec| {
            let before = before.services.get(&spec.name).map(Arc::as_ref);
            (spec.name.clone(), Arc::new(self.service(&mut targets, spec, before)))
        });
        Table::new(generation, services.collect())
    }

    /// Makes a service of the known targets and new ones. A draining target that is named again is active again.
    fn service(
        &self,
        targets: &mut HashMap<String, Arc<Target>>,
        spec: &ServiceSpec,
        before: Option<&Service>,
    ) -> Service {
        let mut target = |wanted: &TargetSpec| {
            let known = targets.get(&wanted.id).filter(|target| target.reactivate());
            let target = known.cloned().unwrap_or_else(|| Target::new(wanted, &spec.name));
            targets.insert(wanted.id.clone(), Arc::clone(&target));
            target
        };
        let own = spec.targets.iter().map(&mut target).collect();
        let mut service = Service::new(spec.clone(), own, before);
        service.candidate = spec
            .candidate
            .as_ref()
            .map(|wanted| Candidate::new(wanted, wanted.targets.iter().map(target).collect()));
        service.records = Some(self.records.of(&spec.name));
        service
    }

    fn forget_retired(&self) {
        self.targets().retain(|_, target| target.state() != TargetState::Retired);
    }

    fn targets(&self) -> MutexGuard<'_, HashMap<String, Arc<Target>>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a command changes.
#[derive(Debug)]
enum Change {
    Put(Box<ServiceSpec>),
    Delete(String),
}
