//! Waiting for an event, with a deadline.

use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(20);

/// Asks until the answer is `Ok`, and panics with the last `Err` when the deadline has passed.
pub fn eventually<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match ask() {
            Ok(value) => return value,
            Err(reason) if start.elapsed() > deadline => panic!("{what}: not within {deadline:?}: {reason}"),
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// Asks until the answer is `true`; whether it came in time.
pub fn wait_until(deadline: Duration, mut ask: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if ask() {
            return true;
        }
        if start.elapsed() > deadline {
            return false;
        }
        thread::sleep(POLL);
    }
}
