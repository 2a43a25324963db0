use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;

use super::shards::Shards;
use crate::api::{DURATION_BOUNDS, RequestMetrics};

/// `DURATION_BOUNDS` in microseconds.
const BOUNDS_US: [u64; DURATION_BOUNDS.len()] =
    [5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000];

/// What is counted of the requests of one service. It outlives every change of the service, and ends with it.
#[derive(Debug, Default)]
pub(crate) struct RequestCounters {
    shards: Shards<Shard>,
}

/// Aligned so that no two share a cache line, nor the pair of lines that is fetched together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    ended: [AtomicU64; 5],
    durations: [AtomicU64; BOUNDS_US.len() + 1],
    duration_sum_us: AtomicU64,
    in_flight: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl RequestCounters {
    /// Counts a request as under way until the guard is dropped.
    pub(crate) fn begin(&self) -> Option<InFlight> {
        let shard = Arc::clone(self.shards.own()?);
        shard.in_flight.fetch_add(1, Relaxed);
        Some(InFlight(shard))
    }

    pub(crate) fn read(&self) -> RequestMetrics {
        let sum = |value: fn(&Shard) -> &AtomicU64| self.shards.sum(|shard| value(shard).load(Relaxed));
        let at = |place: usize, all: fn(&Shard) -> &[AtomicU64]| {
            self.shards.sum(|shard| all(shard).get(place).map_or(0, |count| count.load(Relaxed)))
        };
        RequestMetrics {
            ended: std::array::from_fn(|place| at(place, |shard| &shard.ended)),
            durations: std::array::from_fn(|place| at(place, |shard| &shard.durations)),
            duration_sum_us: sum(|shard| &shard.duration_sum_us),
            in_flight: sum(|shard| &shard.in_flight),
            bytes_in: sum(|shard| &shard.bytes_in),
            bytes_out: sum(|shard| &shard.bytes_out),
        }
    }
}

/// A request under way. It holds the shard and not all of them: the count of who holds it is one that no other worker writes.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Shard>);

impl InFlight {
    /// Counts how it ended. Tunnels have no duration: hours of silence say nothing about an app.
    pub(crate) fn end(&self, status: StatusCode, duration: Option<Duration>, bytes_in: u64, bytes_out: u64) {
        let shard = &*self.0;
        if let Some(count) = shard.ended.get(usize::from(status.as_u16() / 100).saturating_sub(1)) {
            count.fetch_add(1, Relaxed);
        }
        if let Some(duration) = duration {
            let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            let bucket = BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len());
            if let Some(count) = shard.durations.get(bucket) {
                count.fetch_add(1, Relaxed);
            }
            shard.duration_sum_us.fetch_add(us, Relaxed);
        }
        if bytes_in > 0 {
            shard.bytes_in.fetch_add(bytes_in, Relaxed);
        }
        shard.bytes_out.fetch_add(bytes_out, Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::own_shard, *};

    #[test]
    fn the_bounds_are_those_that_are_told() {
        for (us, seconds) in BOUNDS_US.iter().zip(DURATION_BOUNDS) {
            assert_eq!(Duration::from_micros(*us), Duration::from_secs_f64(seconds));
        }
    }

    #[test]
    fn a_request_is_in_flight_until_its_end_and_then_counted_once() {
        let counters = RequestCounters::default();
        let request = counters.begin().unwrap();
        assert_eq!(counters.read(), RequestMetrics { in_flight: 1, ..RequestMetrics::default() });
        request.end(StatusCode::NOT_FOUND, Some(Duration::from_micros(5_001)), 3, 40);
        drop(request);
        let read = counters.read();
        assert_eq!((read.ended, read.in_flight), ([0, 0, 0, 1, 0], 0));
        assert_eq!((read.durations[1], read.duration_sum_us), (1, 5_001));
        assert_eq!((read.bytes_in, read.bytes_out), (3, 40));
    }

    #[test]
    fn every_duration_has_its_bucket() {
        let counters = RequestCounters::default();
        for us in [0, 5_000, 10_000, 10_000_000, 10_000_001, u64::MAX] {
            counters.begin().unwrap().end(StatusCode::OK, Some(Duration::from_micros(us)), 0, 0);
        }
        assert_eq!(counters.read().durations, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
    }

    #[test]
    fn a_tunnel_has_no_duration() {
        let counters = RequestCounters::default();
        counters.begin().unwrap().end(StatusCode::SWITCHING_PROTOCOLS, None, 1, 2);
        let read = counters.read();
        assert_eq!((read.ended[0], read.durations), (1, [0; 12]));
    }

    #[test]
    fn workers_that_count_at_once_lose_nothing() {
        let counters = RequestCounters::default();
        std::thread::scope(|scope| {
            for place in 0..4 {
                let counters = &counters;
                scope.spawn(move || {
                    own_shard(place);
                    for _ in 0..1_000 {
                        counters.begin().unwrap().end(StatusCode::OK, Some(Duration::ZERO), 1, 1);
                    }
                });
            }
        });
        let read = counters.read();
        assert_eq!((read.ended[1], read.durations[0], read.in_flight), (4_000, 4_000, 0));
        assert_eq!((read.bytes_in, read.bytes_out), (4_000, 4_000));
    }
}
