use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{
    api::{TargetProtocol, TargetSpec, TargetState, TargetStatus},
    h2c::Connections,
    pool::Pool,
    rest::Rest,
    tag::Tag,
};

/// What the word says of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Active,
    Draining,
    /// Draining, and what is in flight was told to end. It never serves again.
    Cut,
    Retired,
}

impl From<Phase> for TargetState {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Active => Self::Active,
            Phase::Draining | Phase::Cut => Self::Draining,
            Phase::Retired => Self::Retired,
        }
    }
}

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
    /// What visitors who stay with it are shown.
    pub(crate) tag: Tag,
    /// Whether it is left out for a while.
    pub(crate) rest: Rest,
    /// Idle connections of HTTP/1.1.
    pub(crate) pool: Pool,
    /// Connections of HTTP/2.
    pub(crate) streams: Connections,
    word: AtomicU64,
    changed: Notify,
    cut: CancellationToken,
    /// The same for every request to read: a token takes a lock to tell.
    is_cut: AtomicBool,
}

/// The low 62 bits of the word count; the high two are the state.
const STATE_SHIFT: u32 = 62;
const COUNT: u64 = (1 << STATE_SHIFT) - 1;

fn pack(phase: Phase, count: u64) -> u64 {
    let bits: u64 = match phase {
        Phase::Active => 0,
        Phase::Draining => 1,
        Phase::Cut => 2,
        Phase::Retired => 3,
    };
    bits << STATE_SHIFT | count
}

fn unpack(word: u64) -> (Phase, u64) {
    let phase = match word >> STATE_SHIFT {
        0 => Phase::Active,
        1 => Phase::Draining,
        2 => Phase::Cut,
        _ => Phase::Retired,
    };
    (phase, word & COUNT)
}

impl Target {
    pub(crate) fn new(spec: &TargetSpec, service: &str) -> Arc<Self> {
        Arc::new(Self {
            id: spec.id.clone(),
            address: spec.address,
            protocol: spec.protocol,
            service: service.to_owned(),
            tag: Tag::new("target", &spec.id),
            rest: Rest::default(),
            pool: Pool::default(),
            streams: Connections::default(),
            word: AtomicU64::new(pack(Phase::Active, 0)),
            changed: Notify::new(),
            cut: CancellationToken::new(),
            is_cut: AtomicBool::new(false),
        })
    }

    pub(crate) fn state(&self) -> TargetState {
        unpack(self.word.load(Ordering::Acquire)).0.into()
    }

    pub(crate) fn in_flight(&self) -> u64 {
        unpack(self.word.load(Ordering::Acquire)).1
    }

    /// Fires when what is in flight must end: see [`Target::cut_off`].
    pub(crate) fn cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// Whether that has happened.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    pub(crate) fn status(&self) -> TargetStatus {
        let (phase, in_flight) = unpack(self.word.load(Ordering::Acquire));
        TargetStatus { id: self.id.clone(), address: self.address, state: phase.into(), in_flight }
    }

    /// Counts one request, if the target is active.
    pub(crate) fn claim(self: &Arc<Self>) -> Option<Claim> {
        self.update(|phase, count| (phase == Phase::Active).then_some((phase, count + 1)))?;
        Some(Claim(Arc::clone(self)))
    }

    /// No new request from now on; retired at once when none is in flight.
    pub(crate) fn drain(&self) {
        let next = self.update(|phase, count| match (phase, count) {
            (Phase::Active, 0) => Some((Phase::Retired, 0)),
            (Phase::Active, count) => Some((Phase::Draining, count)),
            _ => None,
        });
        self.announce(next);
    }

    /// Active again, unless it was cut or retired meanwhile.
    pub(crate) fn reactivate(&self) -> bool {
        let next = self.update(|phase, count| match phase {
            Phase::Active | Phase::Draining => Some((Phase::Active, count)),
            Phase::Cut | Phase::Retired => None,
        });
        self.changed.notify_waiters();
        next.is_some()
    }

    /// Tells everything in flight on a draining target to end; gives how much that is.
    pub(crate) fn cut_off(&self) -> u64 {
        let next = self.update(|phase, count| {
            matches!(phase, Phase::Draining | Phase::Cut).then_some((Phase::Cut, count))
        });
        let Some((_, left)) = next else { return 0 };
        self.is_cut.store(true, Ordering::Release);
        self.cut.cancel();
        left
    }

    /// Retires a target that was cut, whatever has not ended by now.
    pub(crate) fn retire(&self) {
        let next = self.update(|phase, count| (phase == Phase::Cut).then_some((Phase::Retired, count)));
        self.announce(next);
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
        let next = self.update(|phase, count| {
            let left = count.saturating_sub(1);
            let over = matches!(phase, Phase::Draining | Phase::Cut) && left == 0;
            Some((if over { Phase::Retired } else { phase }, left))
        });
        if let Some((Phase::Retired, _)) = next {
            self.announce(next);
        }
    }

    fn announce(&self, next: Option<(Phase, u64)>) {
        if let Some((Phase::Retired, _)) = next {
            self.pool.close();
            self.streams.close();
        }
        if next.is_some() {
            self.changed.notify_waiters();
        }
    }

    fn update(&self, change: impl Fn(Phase, u64) -> Option<(Phase, u64)>) -> Option<(Phase, u64)> {
        let next = |word: u64| {
            let (phase, count) = unpack(word);
            change(phase, count)
        };
        let before = self
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                next(word).map(|(phase, count)| pack(phase, count))
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
        assert!(!target.reactivate());
        assert_eq!(target.cut_off(), 1, "who asks again is told the same");
        assert_eq!(target.state(), TargetState::Draining, "what was cut may take a moment to end");
        drop(claim);
        assert_eq!(target.state(), TargetState::Retired);
    }

    #[test]
    fn what_does_not_end_is_given_up() {
        let target = target();
        let _claim = target.claim().unwrap();
        target.drain();
        target.retire();
        assert_eq!(target.state(), TargetState::Draining, "only after it was cut");
        target.cut_off();
        target.retire();
        assert_eq!(target.state(), TargetState::Retired);
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
