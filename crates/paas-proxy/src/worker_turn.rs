use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::sync::oneshot;

/// How long a worker looks at nothing but others between some ends and the next.
const PAUSE: Duration = Duration::from_millis(1);
/// How many ends it goes on with then: what a tenth or two of a processor can do.
const FEW: usize = 4;
/// For each so many that wait it is one more, so that none waits for much longer than a second.
const MANY: usize = 2048;

thread_local! {
    /// This worker's.
    static BODIES: Arc<Queue> = Arc::new(Queue::new(Pace::Turns));
    static ENDS: Arc<Queue> = Arc::new(Queue::new(Pace::Time));
}

/// A turn of a worker: of all that wait for one, it goes on with one or a few, then with whoever else has come, and then with the next.
///
/// For what can wait and comes in thousands: pieces of slow bodies, ends of connections whose time is over. Who attacks sees to it that
/// they come at the same moment, and a worker would do nothing else for a tenth of a second. Nobody holds a turn: whoever does not want his
/// any more, and does not even say so, keeps it from no other.
#[derive(Debug)]
pub(crate) struct WorkerTurn {
    queue: Arc<Queue>,
    /// From when it is first asked for.
    called: Option<oneshot::Receiver<()>>,
}

#[derive(Debug)]
struct Queue {
    pace: Pace,
    /// There from somebody's turn until it is nobody's.
    waiting: Mutex<Option<VecDeque<oneshot::Sender<()>>>>,
}

/// How fast those who wait are called.
#[derive(Debug, Clone, Copy)]
enum Pace {
    /// One at a time, and once each time all others have been looked at.
    Turns,
    /// So many in a time that the targets, too, get the processor meanwhile.
    Time,
}

impl Pace {
    async fn pass(self) {
        match self {
            Self::Turns => tokio::task::yield_now().await,
            Self::Time => tokio::time::sleep(PAUSE).await,
        }
    }

    fn at_once(self, waiting: usize) -> usize {
        match self {
            Self::Turns => 1,
            Self::Time => FEW + waiting / MANY,
        }
    }
}

impl WorkerTurn {
    /// To send on what came of a body.
    pub(crate) fn of_body() -> Self {
        Self { queue: BODIES.with(Arc::clone), called: None }
    }

    /// To end what has taken too long.
    pub(crate) fn of_end() -> Self {
        Self { queue: ENDS.with(Arc::clone), called: None }
    }

    /// Waits for it, from the first time on; once it has been, for the next.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.called.is_none() {
            self.called = self.queue.enter();
        }
        if let Some(called) = &mut self.called {
            // It is one's turn also when nobody calls any more.
            let _ = ready!(Pin::new(called).poll(cx));
            self.called = None;
        }
        Poll::Ready(())
    }
}

impl Queue {
    fn new(pace: Pace) -> Self {
        Self { pace, waiting: Mutex::default() }
    }

    /// `None` when it is one's turn at once.
    fn enter(self: &Arc<Self>) -> Option<oneshot::Receiver<()>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = &mut *waiting {
            let (call, called) = oneshot::channel();
            waiting.push_back(call);
            return Some(called);
        }
        *waiting = Some(VecDeque::new());
        // A runtime that is closing drops at once what it is given.
        drop(waiting);
        let calling = Calling(Arc::clone(self));
        tokio::spawn(async move {
            loop {
                calling.0.pace.pass().await;
                if !calling.0.call() {
                    return;
                }
            }
        });
        None
    }

    /// False when nobody waits.
    fn call(&self) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let at_once = self.pace.at_once(waiting.as_ref().map_or(0, VecDeque::len));
        let next = std::iter::from_fn(|| waiting.as_mut()?.pop_front());
        // Who does not wait any more is passed over.
        next.filter_map(|call| call.send(()).ok()).take(at_once).count() > 0
    }
}

/// Whoever waits when this ends, with its runtime, waits no longer.
struct Calling(Arc<Queue>);

impl Drop for Calling {
    fn drop(&mut self) {
        *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::poll_fn, rc::Rc};

    use tokio::{
        task::{LocalSet, yield_now},
        time::Instant,
    };

    use super::*;

    async fn turn(mut turn: WorkerTurn) {
        poll_fn(|cx| turn.poll(cx)).await;
    }

    #[tokio::test]
    async fn another_turn_may_follow() {
        let mut turn = WorkerTurn::of_body();
        for _ in 0..3 {
            poll_fn(|cx| turn.poll(cx)).await;
        }
    }

    #[tokio::test]
    async fn others_come_between_pieces_of_bodies() {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let tasks = LocalSet::new();
        for _ in 0..20 {
            let seen = Rc::clone(&seen);
            tasks.spawn_local(async move {
                turn(WorkerTurn::of_body()).await;
                seen.borrow_mut().push("turn");
            });
        }
        let other = Rc::clone(&seen);
        tasks.spawn_local(async move {
            for _ in 0..8 {
                other.borrow_mut().push("other");
                yield_now().await;
            }
        });
        tasks.await;
        let seen = seen.borrow();
        assert_eq!(seen.len(), 28, "all have had their turn");
        let last_other = seen.iter().rposition(|&what| what == "other").unwrap();
        let before = seen[..last_other].iter().filter(|&&what| what == "turn").count();
        assert!(before <= 9, "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn thousands_of_ends_take_a_second_or_two() {
        let (begin, tasks) = (Instant::now(), LocalSet::new());
        let ends: Vec<_> = (0..10_000)
            .map(|_| {
                tasks.spawn_local(async move {
                    turn(WorkerTurn::of_end()).await;
                    begin.elapsed().as_millis()
                })
            })
            .collect();
        tasks.await;
        let mut ends: Vec<u128> = futures_util::future::try_join_all(ends).await.unwrap();
        assert!(ends.is_sorted(), "in the order they came in");
        let last = ends.pop().unwrap();
        assert!((1000..4000).contains(&last), "{last} ms");
        let most = ends.chunk_by(|one, other| one == other).map(<[_]>::len).max().unwrap();
        assert!(most <= FEW + 10_000 / MANY, "{most} in a millisecond");
    }

    #[tokio::test]
    async fn who_neither_takes_his_turn_nor_leaves_keeps_it_from_nobody() {
        turn(WorkerTurn::of_body()).await;
        let mut forgotten = WorkerTurn::of_body();
        assert!(poll_fn(|cx| Poll::Ready(forgotten.poll(cx))).await.is_pending());
        let mut gone = WorkerTurn::of_body();
        assert!(poll_fn(|cx| Poll::Ready(gone.poll(cx))).await.is_pending());
        drop(gone);
        turn(WorkerTurn::of_body()).await;
        turn(forgotten).await;
    }

    #[test]
    fn a_runtime_that_ends_leaves_nobody_waiting() {
        for _ in 0..2 {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(turn(WorkerTurn::of_body()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            turn(WorkerTurn::of_body()).await;
            turn(WorkerTurn::of_body()).await;
        });
    }
}
