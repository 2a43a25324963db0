//! Whether the client of a stream of HTTP/2 takes its answer. Its window may be shut while the connection is busy with other
//! streams, so that nothing below sees it.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::time::Instant;

use crate::io::elapsed;

tokio::task_local! {
    static STREAM: Arc<Pace>;
}

/// How far an answer has come.
#[derive(Debug, Default)]
pub(crate) struct Pace(AtomicU64);

/// Nothing to wait for, as far as the client is concerned: there is no answer, or the target keeps us waiting.
const TARGETS_TURN: u64 = 0;

impl Pace {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// That of the stream whose answer is being made.
    pub(crate) fn of_stream() -> Option<Arc<Self>> {
        STREAM.try_with(Arc::clone).ok()
    }

    /// The answer was asked for its next piece, and gave it or not. It is asked again when the client has taken that.
    pub(crate) fn polled(&self, gave: bool) {
        let next = if gave { self.0.load(Ordering::Relaxed) + 1 } else { TARGETS_TURN };
        self.0.store(next, Ordering::Relaxed);
    }

    fn piece(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs a stream to its end. Gives it up, which resets it, when its client takes nothing of its answer for `stall`.
pub(crate) async fn watched(stream: impl Future<Output = ()>, pace: Arc<Pace>, stall: Duration) {
    let mut stream = pin!(STREAM.scope(Arc::clone(&pace), stream));
    let (mut piece, mut deadline, mut timer) = (TARGETS_TURN, None, None);
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let now_at = pace.piece();
        if now_at == TARGETS_TURN {
            deadline = None;
            return Poll::Pending;
        }
        if now_at != piece {
            deadline = None;
        }
        piece = now_at;
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + stall);
        elapsed(&mut timer, deadline, cx).map(|_| tracing::debug!("a client takes nothing of an answer"))
    })
    .await;
}
