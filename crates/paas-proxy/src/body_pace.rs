use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// How slowly a body may come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slowness {
    /// The longest time without a byte.
    pub(crate) stall: Duration,
    /// So long nobody looks at the rate.
    pub(crate) grace: Duration,
    /// The least bytes for each second beyond.
    pub(crate) rate: u32,
}

/// How fast a client sends a body. Only the time counts in which somebody waits for it.
#[derive(Debug)]
pub(crate) struct BodyPace {
    slowness: Slowness,
    bytes: u64,
    /// Before the last byte came.
    waited: Duration,
    /// Since when the next one is waited for.
    since: Option<Instant>,
    /// Made when the client first keeps us waiting.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl BodyPace {
    pub(crate) fn new(slowness: Slowness) -> Self {
        Self { slowness, bytes: 0, waited: Duration::ZERO, since: None, sleep: None }
    }

    /// Bytes came.
    pub(crate) fn moved(&mut self, bytes: u64) {
        self.bytes += bytes;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// Ready when the client, which is waited for, is too slow. One that is `free` may take its time.
    pub(crate) fn poll_too_slow(&mut self, cx: &mut Context<'_>, free: bool) -> Poll<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let mut deadline = self.deadline(since);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        loop {
            // It is not set anew for every piece: mostly it ends early.
            ready!(sleep.as_mut().poll(cx));
            let now = Instant::now();
            if free {
                self.since = Some(now);
                deadline = now + self.slowness.stall;
            }
            if deadline <= now {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }

    fn deadline(&self, since: Instant) -> Instant {
        let Slowness { stall, grace, rate } = self.slowness;
        let earned = Duration::from_secs(self.bytes / u64::from(rate.max(1)));
        since + stall.min((grace + earned).saturating_sub(self.waited))
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_too_slow_only_when_it_stands_still() {
        let (stall, pause) = (Duration::from_millis(400), Duration::from_millis(100));
        let mut pace = BodyPace::new(Slowness { stall, grace: Duration::from_mins(1), rate: 500 });
        let too_slow = async |pace: &mut BodyPace| poll_fn(|cx| pace.poll_too_slow(cx, false)).await;
        for _ in 0..10 {
            assert!(timeout(pause, too_slow(&mut pace)).await.is_err());
            pace.moved(1);
        }
        let begin = Instant::now();
        too_slow(&mut pace).await;
        assert!(begin.elapsed() >= stall && begin.elapsed() < stall + pause, "{:?}", begin.elapsed());
    }
}
