use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use paas_certs::Clock;
use time::OffsetDateTime;

/// A wall clock that stands still until it is moved. Clones show the same time.
#[derive(Clone)]
pub struct FakeClock(Arc<Mutex<OffsetDateTime>>);

impl FakeClock {
    /// Starts at a day in 2027.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap())))
    }

    /// Starts at the time it really is, for authorities that live by it.
    pub fn at_present() -> Self {
        Self(Arc::new(Mutex::new(OffsetDateTime::now_utc())))
    }

    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    pub fn turn_back(&self, by: Duration) {
        *self.0.lock().unwrap() -= by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}
