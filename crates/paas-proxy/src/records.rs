use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    access_log::{AccessLogs, ServiceLog},
    api::RequestMetrics,
    metrics::RequestCounters,
};

/// Where the requests of one service are counted and written down. It outlives every change of the service, and ends with it.
#[derive(Debug)]
pub(crate) struct ServiceRecords {
    pub(crate) counters: RequestCounters,
    pub(crate) log: Arc<ServiceLog>,
}

/// The records of every service.
#[derive(Debug)]
pub(crate) struct Records {
    services: Mutex<BTreeMap<String, Arc<ServiceRecords>>>,
    logs: Arc<AccessLogs>,
}

impl Records {
    pub(crate) fn new(logs: Arc<AccessLogs>) -> Self {
        Self { services: Mutex::default(), logs }
    }

    /// The records of a service, begun when there are none.
    pub(crate) fn of(&self, service: &str) -> Arc<ServiceRecords> {
        let begin = || {
            let log = ServiceLog::new(service, Arc::clone(&self.logs));
            Arc::new(ServiceRecords { counters: RequestCounters::default(), log })
        };
        Arc::clone(self.services().entry(service.to_owned()).or_insert_with(begin))
    }

    /// Ends the records of services that are no more, their access logs included.
    pub(crate) fn keep_only(&self, is_there: impl Fn(&str) -> bool) {
        self.services().retain(|service, records| {
            let keep = is_there(service);
            if !keep {
                records.log.remove();
            }
            keep
        });
    }

    pub(crate) fn read(&self) -> BTreeMap<String, RequestMetrics> {
        self.services().iter().map(|(service, records)| (service.clone(), records.counters.read())).collect()
    }

    fn services(&self) -> MutexGuard<'_, BTreeMap<String, Arc<ServiceRecords>>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
