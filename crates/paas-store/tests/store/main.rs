//! The store on real database files: every public method, what it refuses, and what a crash leaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test may panic and is nobody's API; clippy knows only `#[test]` functions"
)]

mod addresses;
mod apps;
mod certificates;
mod config;
mod containers;
mod deploys;
mod domains;
mod durability;
mod front_door;
mod keys;
mod plaintext;
mod prunable;
mod releases;
mod sealing;
mod settings;
mod speed;
mod strategies;
mod support;
mod volumes;
