//! What a load saw.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

/// What one worker saw.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) samples: Vec<Sample>,
    pub(crate) failed: u64,
    pub(crate) failures: Vec<String>,
    pub(crate) versions: BTreeMap<String, u64>,
    /// When the first answer of each release came.
    pub(crate) releases: BTreeMap<String, Duration>,
}

/// One request: when it began, since the load did, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) begin: Duration,
    pub(crate) took: Duration,
}

/// What all workers saw.
#[derive(Debug)]
pub struct LoadReport {
    /// How many requests were sent.
    pub requests: u64,
    /// How many had no whole answer of status 200 with the right body.
    pub failed: u64,
    /// The first failures of each worker.
    pub failures: Vec<String>,
    /// Which versions answered, and how often.
    pub versions: BTreeMap<String, u64>,
    /// When the first answer of each release came, since the load began.
    pub releases: BTreeMap<String, Duration>,
    samples: Vec<Sample>,
}

/// How long the requests of some time took.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// How many there were.
    pub requests: usize,
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The slowest.
    pub max: Duration,
}

impl LoadReport {
    pub(crate) fn of(tallies: Vec<Tally>) -> Self {
        let mut whole = Tally::default();
        for tally in tallies {
            whole.samples.extend(tally.samples);
            whole.failed += tally.failed;
            whole.failures.extend(tally.failures);
            for (version, count) in tally.versions {
                *whole.versions.entry(version).or_default() += count;
            }
            for (release, first) in tally.releases {
                let known = whole.releases.entry(release).or_insert(first);
                *known = first.min(*known);
            }
        }
        Self {
            requests: whole.samples.len() as u64,
            failed: whole.failed,
            failures: whole.failures,
            versions: whole.versions,
            releases: whole.releases,
            samples: whole.samples,
        }
    }

    /// How long requests took that began within one of these times.
    pub fn times_within(&self, spans: &[Range<Duration>]) -> Times {
        self.times(|begin| spans.iter().any(|span| span.contains(&begin)))
    }

    /// How long requests took that began within none of these times.
    pub fn times_without(&self, spans: &[Range<Duration>]) -> Times {
        self.times(|begin| !spans.iter().any(|span| span.contains(&begin)))
    }

    fn times(&self, counts: impl Fn(Duration) -> bool) -> Times {
        let counted = self.samples.iter().filter(|sample| counts(sample.begin));
        let mut took: Vec<_> = counted.map(|sample| sample.took).collect();
        took.sort_unstable();
        let at = |percent: usize| {
            let index = (took.len() * percent / 100).min(took.len().saturating_sub(1));
            took.get(index).copied().unwrap_or_default()
        };
        Times { requests: took.len(), p50: at(50), p99: at(99), max: at(100) }
    }

    /// Panics if one request failed, or if there were fewer than `at_least`.
    #[track_caller]
    pub fn assert_none_failed(&self, at_least: u64) {
        let Times { p50, p99, max, .. } = self.times(|_| true);
        println!(
            "{} requests, {} failed, p50 {p50:?}, p99 {p99:?}, slowest {max:?}, {:?}",
            self.requests, self.failed, self.versions
        );
        assert!(self.requests >= at_least, "only {} requests, wanted {at_least}", self.requests);
        assert_eq!(self.failed, 0, "failed requests:\n{}", self.failures.join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_apart_by_when_requests_began() {
        let sample =
            |begin, took| Sample { begin: Duration::from_millis(begin), took: Duration::from_micros(took) };
        let slow = (0..100).map(|n| sample(100 + n, 1_000 + n));
        let samples = (0..100).map(|n| sample(n, n)).chain(slow).collect();
        let report = LoadReport::of(vec![Tally { samples, ..Tally::default() }]);
        let span = Duration::from_millis(100)..Duration::from_millis(200);
        let (within, without) =
            (report.times_within(std::slice::from_ref(&span)), report.times_without(&[span]));
        assert_eq!((within.requests, within.p99.as_micros()), (100, 1_099));
        assert_eq!((without.requests, without.p50.as_micros(), without.max.as_micros()), (100, 50, 99));
    }
}
