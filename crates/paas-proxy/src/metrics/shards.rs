use std::{cell::Cell, num::NonZero, sync::Arc, thread};

thread_local! {
    static PLACE: Cell<usize> = const { Cell::new(0) };
}

/// Tells which shard this thread counts in: its place among the workers. Threads that tell nothing count in the first.
pub(crate) fn own_shard(place: usize) {
    PLACE.set(place);
}

/// One value for each processor, so that workers that count the same thing do not pull one cache line back and forth.
#[derive(Debug)]
pub(super) struct Shards<T>(Box<[Arc<T>]>);

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        let count = thread::available_parallelism().map_or(1, NonZero::get);
        Self((0..count).map(|_| Arc::default()).collect())
    }
}

impl<T> Shards<T> {
    /// The shard of this thread. There is always one.
    pub(super) fn own(&self) -> Option<&Arc<T>> {
        self.0.get(PLACE.get() % self.0.len().max(1))
    }

    pub(super) fn sum(&self, value: impl Fn(&T) -> u64) -> u64 {
        self.0.iter().fold(0, |sum, shard| sum.wrapping_add(value(shard)))
    }
}
