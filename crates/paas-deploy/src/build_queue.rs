use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use paas_domain::DeployId;
use tokio::sync::watch;

/// One build at a time for the whole server, first come first served: a build is what can take a small server down.
#[derive(Debug)]
pub(crate) struct BuildQueue {
    /// The first is building.
    waiting: Mutex<VecDeque<DeployId>>,
    moved: watch::Sender<u64>,
}

/// The right to build; the next in the queue goes on when it is dropped.
#[derive(Debug)]
pub(crate) struct BuildTurn<'a> {
    queue: &'a BuildQueue,
    deploy: DeployId,
}

impl BuildQueue {
    pub(crate) fn new() -> Self {
        Self { waiting: Mutex::default(), moved: watch::Sender::new(0) }
    }

    /// Waits for the turn. `place` is told how many builds are before this one whenever that changes. Dropping the future leaves the queue.
    pub(crate) async fn turn(&self, deploy: DeployId, mut place: impl FnMut(usize)) -> BuildTurn<'_> {
        self.lock().push_back(deploy);
        let turn = BuildTurn { queue: self, deploy };
        let mut moved = self.moved.subscribe();
        let mut told = 0;
        loop {
            moved.borrow_and_update();
            let before = self.lock().iter().position(|waiting| *waiting == deploy).unwrap_or(0);
            if before == 0 {
                return turn;
            }
            if before != told {
                told = before;
                place(before);
            }
            if moved.changed().await.is_err() {
                return turn;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<DeployId>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BuildTurn<'_> {
    fn drop(&mut self) {
        self.queue.lock().retain(|waiting| *waiting != self.deploy);
        self.queue.moved.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn builds_run_one_after_the_other_and_say_their_place() {
        let queue = BuildQueue::new();
        let first = queue.turn(DeployId(1), |_| panic!("nothing is before the first")).await;
        let places = Mutex::new(Vec::new());
        let mut second = Box::pin(queue.turn(DeployId(2), |place| places.lock().unwrap().push(place)));
        assert!(second.as_mut().now_or_never().is_none());
        let mut third = Box::pin(queue.turn(DeployId(3), |place| places.lock().unwrap().push(place)));
        assert!(third.as_mut().now_or_never().is_none());
        drop(second);
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        drop(third.await);
        assert_eq!(*places.lock().unwrap(), [1, 2, 1]);
        assert!(queue.lock().is_empty());
    }
}
