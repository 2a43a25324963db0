use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::{api::RequestPolicy, body::Progress, config::Limits, failure::Failure};

/// How long a request may stand still before its answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// While the client owes a byte of its body.
    body: Duration,
    /// While the target owes its answer.
    answer: Duration,
}

impl Patience {
    pub(crate) fn new(policy: &RequestPolicy, limits: &Limits) -> Self {
        let or_ours = |millis: Option<u64>| millis.map_or(limits.response_timeout, Duration::from_millis);
        Self { body: or_ours(policy.request_timeout_ms), answer: or_ours(policy.response_timeout_ms) }
    }

    /// Ends when neither the client's body nor the target's answer has moved for too long, with whose fault it is. A slow but
    /// steady upload may take as long as it needs. `begin` is when the request began to wait.
    pub(crate) async fn ends(self, begin: Instant, progress: Option<&Progress>) -> Failure {
        let Some(progress) = progress else {
            sleep_until(begin + self.answer).await;
            return Failure::Timeout;
        };
        // Who owes may change while we sleep; the shorter time is the soonest that anything can end.
        let step = self.body.min(self.answer);
        let mut wake = begin + step;
        loop {
            sleep_until(wake).await;
            let waits = progress.is_waiting_for_client();
            let deadline = progress.last() + if waits { self.body } else { self.answer };
            let now = Instant::now();
            if deadline <= now {
                return if waits { Failure::SlowBody } else { Failure::Timeout };
            }
            wake = deadline.min(now + step);
        }
    }
}
