//! Certificates against the world: a real ACME server, one that breaks, a DNS server, other people's web servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test binary has no outside, and helpers of tests are tests too"
)]

mod dns_hook;
mod faults;
mod own_authority;
mod pairs;
mod pebble;
mod preflight;
mod preflight_dns;
mod renewal;
mod resume;
mod support;
