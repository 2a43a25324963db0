use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// How long a target rests after its first failure, in milliseconds; twice as long after each further one.
const FIRST: u64 = 1_000;
/// The longest rest, in milliseconds.
const LONGEST: u64 = 30_000;
/// Failures after which the rest grows no more.
const MAX_FAILURES: u64 = 6;

/// The low 7 bits of the word count failures, the eighth says that a trial is under way, the rest is the end of the rest.
const FAILURES: u64 = 0x7f;
const TRIAL: u64 = 0x80;
const END_SHIFT: u32 = 8;

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since some moment of this process.
pub(crate) fn now() -> u64 {
    u64::try_from(BEGIN.elapsed().as_millis()).unwrap_or(u64::MAX >> END_SHIFT)
}

/// Whether a target that could not be connected to is left out for a while. 0 while it is well; else when the rest ends, how many
/// times it failed in a row, and whether a request is trying it.
///
/// When the rest is over one request tries the target, the others go on leaving it out until that one has succeeded or failed, or
/// has not told for as long as the rest was.
#[derive(Debug, Default)]
pub(crate) struct Rest(AtomicU64);

impl Rest {
    /// False for a target whose last connection was made.
    pub(crate) fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether the target is to be left out.
    pub(crate) fn lasts(&self, now: u64) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        word != 0 && now < word >> END_SHIFT
    }

    /// Whether this request may go to the target: always when it is well; when its rest is over, as the one that tries.
    pub(crate) fn admits(&self, now: u64) -> bool {
        let word = self.0.load(Ordering::Relaxed);
        if word == 0 {
            return true;
        }
        let failures = word & FAILURES;
        let trial = pack(now + pause(failures), failures) | TRIAL;
        now >= word >> END_SHIFT
            && self.0.compare_exchange(word, trial, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// The target was connected to.
    pub(crate) fn succeed(&self) {
        if self.is_marked() {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    /// The target could not be connected to. Requests that were on their way when another one failed make the rest no longer.
    pub(crate) fn fail(&self, now: u64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let known = word != 0 && now < word >> END_SHIFT && word & TRIAL == 0;
            let failures = ((word & FAILURES) + 1).min(MAX_FAILURES);
            (!known).then(|| pack(now + pause(failures), failures))
        });
    }
}

fn pack(end: u64, failures: u64) -> u64 {
    end << END_SHIFT | failures
}

fn pause(failures: u64) -> u64 {
    (FIRST << failures.saturating_sub(1)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_grows_with_each_failed_trial_and_ends_with_a_connection() {
        let rest = Rest::default();
        assert!(rest.admits(0) && !rest.lasts(0));
        let mut now = 5;
        rest.fail(now);
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert!(rest.lasts(now + seconds * 1_000 - 1) && !rest.admits(now + seconds * 1_000 - 1));
            now += seconds * 1_000;
            assert!(!rest.lasts(now) && rest.admits(now), "after {seconds} s");
            rest.fail(now);
        }
        rest.succeed();
        assert!(rest.admits(now) && !rest.is_marked());
        rest.fail(now);
        assert!(!rest.lasts(now + 1_000), "the first failure after a success is a first one");
    }

    #[test]
    fn one_request_tries() {
        let rest = Rest::default();
        rest.fail(0);
        assert!(rest.admits(1_000));
        assert!(!rest.admits(1_000) && rest.lasts(1_999));
        assert!(rest.admits(2_000), "the one that tried never told");
    }

    #[test]
    fn failures_at_one_time_are_one() {
        let rest = Rest::default();
        for now in 0..100 {
            rest.fail(now);
        }
        assert!(!rest.lasts(1_000));
    }
}
