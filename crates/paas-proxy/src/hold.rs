//! Requests of a held service wait for its next table. Nothing of their bodies is read meanwhile.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{api::HoldPolicy, failure::Failure, io::Leaving, router::Service, shared::Shared};

/// The longest wait, whatever the policy says.
const LONGEST: Duration = Duration::from_hours(24);

/// How many requests wait for one service. The same for all tables the service is in.
#[derive(Debug, Default)]
pub(crate) struct Waiting(AtomicUsize);

/// One request's place among those that wait, from its first wait until it is sent on or answered.
#[derive(Debug)]
pub(crate) struct Place {
    waiting: Arc<Waiting>,
    deadline: Instant,
}

impl Waiting {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn enter(self: &Arc<Self>, policy: HoldPolicy) -> Option<Place> {
        let free = |waiting: usize| (waiting < policy.requests).then_some(waiting + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        let timeout = Duration::from_millis(policy.timeout_ms).min(LONGEST);
        Some(Place { waiting: Arc::clone(self), deadline: Instant::now() + timeout })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Returns when there is a newer table than the one of `generation`, in which the service is held. A failure when too many wait,
/// when this one has waited too long, and when the proxy ends: where it was told to, no command comes any more that could end the wait;
/// after a hand-over, its time is over.
/// `leaving` is given for a request with a body: it alone tells that the client has gone.
pub(crate) async fn wait(
    shared: &Shared,
    service: &Service,
    generation: u64,
    place: &mut Option<Place>,
    leaving: Option<&Leaving>,
) -> Result<(), Failure> {
    if place.is_none() {
        *place = service.waiting.enter(service.spec.policy.hold);
    }
    let Some(place) = place else { return Err(Failure::Held) };
    tokio::select! {
        biased;
        () = shared.registry.changed_since(generation) => Ok(()),
        () = shared.stop.tunnels.cancelled() => Err(Failure::Held),
        () = sleep_until(place.deadline) => Err(Failure::Held),
        () = has_left(leaving) => Err(Failure::BrokenBody),
    }
}

async fn has_left(leaving: Option<&Leaving>) {
    match leaving {
        Some(leaving) => leaving.has_left().await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let waiting = Arc::<Waiting>::default();
        let policy = HoldPolicy { timeout_ms: u64::MAX, requests: 2 };
        let first = waiting.enter(policy);
        let second = waiting.enter(policy);
        assert!(first.is_some() && second.is_some() && waiting.enter(policy).is_none());
        drop(first);
        assert!(waiting.enter(policy).is_some());
    }
}
