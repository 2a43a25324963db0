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

    /// Waits as long as the authority asked to, and never less than our own pace, which slows down: an authority may ask for no pause at all, or
    /// for a time that this server's clock has passed.
    pub(crate) async fn wait(&mut self, asked: Option<Duration>) -> Result<(), OutOfTime> {
        let wait = asked.map_or(self.next, |asked| asked.max(self.next));
        self.next = (self.next * 3 / 2).min(SLOWEST);
        let until = Instant::now() + wait;
        if until > self.deadline {
            return Err(OutOfTime);
        }
        tokio::time::sleep_until(until).await;
        Ok(())
    }
}
