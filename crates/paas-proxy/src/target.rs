use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{TargetProtocol, TargetSpec, TargetState, TargetStatus},
    h2c::Connections,
    pool::Pool,
};

/// One container, its state and its requests in flight.
///
/// State and count live in one word, changed by compare-and-swap: a request is counted only while the target is active, and
/// a target is retired only while the count is 0. So a target seen as drained can never get a request afterwards.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) address: SocketAddr,
    pub(crate) protocol: TargetProtocol,
    pub(crate) service: String,
    /// Idle connections of HTTP/1.1.
    pub(crate) pool: Pool,
    /// Connections of HTTP/2.
    pub(crate) streams: Connections,
    word: AtomicU64,
    changed: Notify,
    cut: CancellationToken,
}

/// The low 62 bits of the word count; the high two are the state.
const STATE_SHIFT: u32 = 62;
const COUNT: u64 = (1 << STATE_SHIFT) - 1;

fn pack(state: TargetState, count: u64) -> u64 {
    let bits: u64 = match state {
        TargetState::Active => 0,
        TargetState::Draining => 1,
        TargetState::Retired => 2,
    };
    bits << STATE_SHIFT | count
}

fn unpack(word: u64) -> (TargetState, u64) {
    let state = match word >> STATE_SHIFT {
        0 => TargetState::Active,
        1 => TargetState::Draining,
        _ => TargetState::Retired,
    };
    (state, word & COUNT)
}

impl Target {
    pub(crate) fn new(spec: &TargetSpec, service: &str) -> Arc<Self> {
        Arc::new(Self {
            id: spec.id.clone(),
            address: spec.address,
            protocol: spec.protocol,
            service: service.to_owned(),
            pool: Pool::default(),
            streams: Connections::default(),
            word: AtomicU64::new(pack(TargetState::Active, 0)),
            changed: Notify::new(),
            cut: CancellationToken::new(),
        })
    }

    pub(crate) fn state(&self) -> TargetState {
        unpack(self.word.load(Ordering::Acquire)).0
    }

    pub(crate) fn in_flight(&self) -> u64 {
        unpack(self.word.load(Ordering::Acquire)).1
    }

    /// Fires when what is in flight must end: see [`Target::cut_off`].
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    pub(crate) fn status(&self) -> TargetStatus {
        let (state, in_flight) = unpack(self.word.load(Ordering::Acquire));
        TargetStatus { id: self.id.clone(), address: self.address, state, in_flight }
    }

    /// Counts one request, if the target is active.
    pub(crate) fn claim(self: &Arc<Self>) -> Option<Claim> {
        self.update(|state, count| (state == TargetState::Active).then_some((state, count + 1)))?;
        Some(Claim(Arc::clone(self)))
    }

    /// No new request from now on; retired at once when none is in flight.
    pub(crate) fn drain(&self) {
        let next = self.update(|state, count| match (state, count) {
            (TargetState::Active, 0) => Some((TargetState::Retired, 0)),
            (TargetState::Active, count) => Some((TargetState::Draining, count)),
            _ => None,
        });
        self.announce(next);
    }

    /// Active again, unless it was retired meanwhile.
    pub(crate) fn reactivate(&self) -> bool {
        let next = self
            .update(|state, count| (state != TargetState::Retired).then_some((TargetState::Active, count)));
        self.changed.notify_waiters();
        next.is_some()
    }

    /// Ends everything in flight and retires a draining target; gives what was still in flight.
    pub(crate) fn cut_off(&self) -> u64 {
        let next = self
            .update(|state, count| (state == TargetState::Draining).then_some((TargetState::Retired, count)));
        let Some((_, left)) = next else { return 0 };
        self.cut.cancel();
        self.announce(next);
        left
    }

    /// Returns when the target is no longer draining.
    pub(crate) async fn settled(&self) -> TargetState {
        loop {
            let changed = self.changed.notified();
            match self.state() {
                TargetState::Draining => changed.await,
                state => return state,
            }
        }
    }

    fn release(&self) {
        let next = self.update(|state, count| {
            let left = count.saturating_sub(1);
            let state =
                if state == TargetState::Draining && left == 0 { TargetState::Retired } else { state };
            Some((state, left))
        });
        if let Some((TargetState::Retired, _)) = next {
            self.announce(next);
        }
    }

    fn announce(&self, next: Option<(TargetState, u64)>) {
        if let Some((TargetState::Retired, _)) = next {
            self.pool.close();
            self.streams.close();
        }
        if next.is_some() {
            self.changed.notify_waiters();
        }
    }

    fn update(
        &self,
        change: impl Fn(TargetState, u64) -> Option<(TargetState, u64)>,
    ) -> Option<(TargetState, u64)> {
        let next = |word: u64| {
            let (state, count) = unpack(word);
            change(state, count)
        };
        let before = self
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                next(word).map(|(state, count)| pack(state, count))
            })
            .ok()?;
        next(before)
    }
}

/// One request in flight on a target, from the pick until the last body byte.
#[derive(Debug)]
pub(crate) struct Claim(Arc<Target>);

impl Claim {
    pub(crate) fn target(&self) -> &Arc<Target> {
        &self.0
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.0.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Arc<Target> {
        Target::new(
            &TargetSpec {
                id: "t".into(),
                address: ([127, 0, 0, 1], 1).into(),
                protocol: TargetProtocol::Http1,
            },
            "app",
        )
    }

    #[test]
    fn an_idle_target_retires_at_once() {
        let target = target();
        target.drain();
        assert_eq!(target.state(), TargetState::Retired);
        assert!(target.claim().is_none());
        assert!(!target.reactivate(), "retired is final");
    }

    #[test]
    fn a_busy_target_retires_with_its_last_request() {
        let target = target();
        let (first, second) = (target.claim().unwrap(), target.claim().unwrap());
        target.drain();
        assert!(target.claim().is_none());
        drop(first);
        assert_eq!((target.state(), target.in_flight()), (TargetState::Draining, 1));
        drop(second);
        assert_eq!((target.state(), target.in_flight()), (TargetState::Retired, 0));
    }

    #[test]
    fn a_draining_target_put_again_is_active() {
        let target = target();
        let claim = target.claim().unwrap();
        target.drain();
        assert!(target.reactivate());
        drop(claim);
        assert_eq!(target.state(), TargetState::Active);
        assert!(target.claim().is_some());
    }

    #[test]
    fn a_cut_tells_what_was_left_and_is_final() {
        let target = target();
        let claim = target.claim().unwrap();
        assert_eq!(target.cut_off(), 0, "an active target is not cut");
        assert!(!target.cut().is_cancelled());
        target.drain();
        assert_eq!(target.cut_off(), 1);
        assert!(target.cut().is_cancelled());
        drop(claim);
        assert!(!target.reactivate());
    }

    #[test]
    fn no_claim_after_a_retirement_under_contention() {
        for _ in 0..200 {
            let target = target();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        while let Some(claim) = target.claim() {
                            assert_ne!(target.state(), TargetState::Retired, "claimed on a retired target");
                            drop(claim);
                        }
                    });
                }
                scope.spawn(|| target.drain());
            });
            assert_eq!((target.state(), target.in_flight()), (TargetState::Retired, 0));
        }
    }
}
