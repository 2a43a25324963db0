//! The keeper on a real store and a real proxy, with an authority and a clock that do as they are told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    missing_docs,
    reason = "a test may panic and is nobody's API; clippy knows only `#[test]` functions"
)]

mod added;
mod clock;
mod crash;
mod first;
mod names;
mod outage;
mod pebble;
mod preflight;
mod support;
mod year;
