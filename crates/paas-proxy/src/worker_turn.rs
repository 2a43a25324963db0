use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

/// Of a body whose pieces are smaller, in bytes, a worker would do as well to look at other connections first.
const SMALL: usize = 1024;

thread_local! {
    /// This worker's.
    static TURNS: Arc<Semaphore> = Arc::new(Semaphore::new(1));
}

/// The turn of a request's body of which little came, and more had to be waited for.
///
/// To send a few bytes on costs as much as to answer a request. When thousands of uploads get a few at the same moment, as those who attack with
/// slow bodies see to, a worker would do nothing else for a tenth of a second. So it goes on with one of them, and then with whoever else has come.
pub(crate) struct Turn(PollSemaphore);

impl Turn {
    /// The worker's next, for a body of which so many bytes came at last; none for one that comes in large pieces.
    pub(crate) fn after(last: usize) -> Option<Self> {
        (last < SMALL).then(|| Self(PollSemaphore::new(TURNS.with(Arc::clone))))
    }

    /// Waits for it.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let turn = ready!(self.0.poll_acquire(cx));
        // Not when it has been sent on: the target may take it late, and nobody else is to wait for that.
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            drop(turn);
        });
        Poll::Ready(())
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::poll_fn, rc::Rc};

    use tokio::task::{LocalSet, yield_now};

    use super::*;

    #[tokio::test]
    async fn others_come_between() {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let tasks = LocalSet::new();
        for _ in 0..20 {
            let seen = Rc::clone(&seen);
            tasks.spawn_local(async move {
                let mut turn = Turn::after(4).unwrap();
                poll_fn(|cx| turn.poll(cx)).await;
                seen.borrow_mut().push("body");
            });
        }
        let other = Rc::clone(&seen);
        tasks.spawn_local(async move {
            for _ in 0..10 {
                other.borrow_mut().push("other");
                yield_now().await;
            }
        });
        tasks.await;
        let seen = seen.borrow();
        assert_eq!(seen.len(), 30, "all have had their turn");
        let last_other = seen.iter().rposition(|&what| what == "other").unwrap();
        let before = seen[..last_other].iter().filter(|&&what| what == "body").count();
        assert!(before <= 11, "{seen:?}");
    }

    #[test]
    fn large_pieces_wait_for_nobody() {
        assert!(Turn::after(0).is_some() && Turn::after(SMALL).is_none());
    }
}
