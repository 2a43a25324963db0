use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{failure::Failure, target::Claim};

/// How far the client's side of a request has come.
#[derive(Debug)]
pub(crate) struct Progress {
    begin: Instant,
    last: AtomicU64,
    waiting_for_client: AtomicBool,
    fault: OnceLock<Failure>,
    passed: AtomicU64,
    answer: AtomicU8,
    /// The count on the target from the answer's beginning: until both it and the body have ended.
    claim: OnceLock<Claim>,
}

/// How far the answer to a body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerState {
    Awaited,
    Begun,
    Ended,
}

impl Progress {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            last: AtomicU64::new(0),
            waiting_for_client: AtomicBool::new(false),
            fault: OnceLock::new(),
            passed: AtomicU64::new(0),
            answer: AtomicU8::new(AnswerState::Awaited as u8),
            claim: OnceLock::new(),
        })
    }

    /// When the last byte of the body came, or the target began to wait for the next.
    fn last(&self) -> Instant {
        self.begin + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// What the client did wrong, if it is its fault that a target got no whole request: it went away, its framing is wrong, it sent
    /// too much or too slowly.
    pub(crate) fn fault(&self) -> Option<Failure> {
        self.fault.get().copied()
    }

    /// Remembers the first fault.
    pub(crate) fn blame(&self, fault: Failure) {
        let _ = self.fault.set(fault);
    }

    /// Remembers whether the target waits for the client.
    pub(crate) fn wait(&self, waiting: bool) {
        if self.waiting_for_client.swap(waiting, Ordering::Relaxed) != waiting && waiting {
            self.mark();
        }
    }

    /// How many bytes of the body came for a target.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, bytes: u64) {
        self.passed.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn mark(&self) {
        let millis = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn answer(&self) -> AnswerState {
        match self.answer.load(Ordering::Acquire) {
            0 => AnswerState::Awaited,
            1 => AnswerState::Begun,
            _ => AnswerState::Ended,
        }
    }

    /// The answer has begun. It counts on the target from here on; so does what is left of the body when the answer has ended.
    pub(crate) fn answered(self: Arc<Self>, claim: Claim) -> AnswerEnd {
        self.answer.store(AnswerState::Begun as u8, Ordering::Release);
        // A request has one answer.
        let _ = self.claim.set(claim);
        AnswerEnd(self)
    }

    /// Returns when nothing has moved for that long while it was the target's turn. `begin` is when that began.
    pub(crate) async fn stands_still(&self, begin: Instant, time: Duration) {
        let mut wake = begin + time;
        loop {
            sleep_until(wake).await;
            let now = Instant::now();
            // The client's turn ends by its own rules, an answer that comes may take its time, and the target's whole time begins after.
            let is_others =
                self.waiting_for_client.load(Ordering::Relaxed) || self.answer() == AnswerState::Begun;
            let since = if is_others { now } else { self.last().max(begin) };
            wake = since + time;
            if wake <= now {
                return;
            }
        }
    }
}

/// Marks the end of an answer when it is dropped.
#[derive(Debug)]
pub(crate) struct AnswerEnd(Arc<Progress>);

impl Drop for AnswerEnd {
    fn drop(&mut self) {
        self.0.mark();
        self.0.answer.store(AnswerState::Ended as u8, Ordering::Release);
    }
}
