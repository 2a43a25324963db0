//! The whole installation, seen from outside: one file per theme.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it prints is shown when it does"
)]

mod access_log;
mod acme;
mod addresses;
mod apps;
mod balance;
mod build_features;
mod compression;
mod concurrent_pushes;
mod config;
mod crash_grid;
mod domains;
mod drain;
mod failing_builds;
mod failing_starts;
mod first_push;
mod front_door;
mod front_door_whole;
mod hand_over;
mod hostile_names;
mod https;
mod interrupted_push;
mod keys;
mod laptop;
mod logs;
mod odd_repositories;
mod process_types;
mod processes;
mod proxying;
mod redeploy_under_load;
mod refs;
mod restarts;
mod secrets;
mod storage;
mod strategies;
mod support;
mod unhealthy_world;
