use std::time::Duration;

use tokio::time::Instant;

/// The longest wait of our own choosing between two looks at an order.
const SLOWEST: Duration = Duration::from_secs(15);

/// The rhythm in which an order is looked at, up to a deadline.
pub(crate) struct Pace {
    next: Duration,
    deadline: Instant,
}

/// The deadline would pass before the next look.
pub(crate) struct OutOfTime;

impl Pace {
    pub(crate) fn new(first: Duration, deadline: Instant) -> Self {
        Self { next: first, deadline }
    }

    /// Waits as long as the authority asked to, else a little longer than the last time.
    pub(crate) async fn wait(&mut self, asked: Option<Duration>) -> Result<(), OutOfTime> {
        let wait = asked.unwrap_or(self.next);
        if asked.is_none() {
            self.next = (self.next * 3 / 2).min(SLOWEST);
        }
        let until = Instant::now() + wait;
        if until > self.deadline {
            return Err(OutOfTime);
        }
        tokio::time::sleep_until(until).await;
        Ok(())
    }
}
