use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::ready,
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// How many are kept.
const MOST: usize = 1024;

/// Timers of one runtime that outlive the requests that wait with them. Setting one for each request costs more than the rest of its
/// waiting: one that is kept is set anew only after it has fired.
#[derive(Debug, Default)]
pub(crate) struct SpareTimers(Mutex<Vec<Pin<Box<Sleep>>>>);

impl SpareTimers {
    /// Resolves when `after` has passed since `begin`.
    pub(crate) async fn elapsed(&self, begin: Instant, after: Duration) {
        let deadline = begin + after;
        let mut lent = Lent { timer: self.take(), owner: self };
        let timer = lent.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        poll_fn(|cx| {
            loop {
                if timer.deadline() > deadline {
                    timer.as_mut().reset(deadline);
                }
                ready!(timer.as_mut().poll(cx));
                if timer.deadline() == deadline {
                    return std::task::Poll::Ready(());
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await;
    }

    fn take(&self) -> Option<Pin<Box<Sleep>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Goes back to its owner, also when nobody waits any more.
struct Lent<'a> {
    timer: Option<Pin<Box<Sleep>>>,
    owner: &'a SpareTimers,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            let mut spare = self.owner.0.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < MOST {
                spare.push(timer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_kept_timer_ends_no_earlier_and_no_later_than_a_new_one() {
        let timers = SpareTimers::default();
        for (wait, give_up) in [(50, 10), (50, 60), (200, 300), (20, 300), (50, 40), (50, 60)] {
            let (wait, give_up) = (Duration::from_millis(wait), Duration::from_millis(give_up));
            let begin = Instant::now();
            let fired = tokio::time::timeout(give_up, timers.elapsed(begin, wait)).await.is_ok();
            assert_eq!(fired, wait < give_up);
            assert!(begin.elapsed().abs_diff(wait.min(give_up)) <= Duration::from_millis(1));
            assert_eq!(timers.0.lock().unwrap().len(), 1);
        }
    }
}
