//! Harness of the end-to-end tests: a whole installation of paas in a temporary directory, with the real engine, a private
//! sshd and the real client `git`.
//!
//! ```no_run
//! let server = paas_e2e::Server::start();
//! let laptop = server.admin();
//! let repo = laptop.app_repo("blog");
//! repo.push().ok();
//! server.http().serves("blog", "1");
//! server.assert_clean();
//! ```
//!
//! Nothing is mocked and nothing is shared: each [`Server`] has its own ports, its own range of addresses ([`Pool`]), its own
//! instance id, and removes from the engine what bears that id when it is dropped. One runs at a time: what
//! paas makes in the engine is named after apps, so two installations on one engine would take each other's names.
//! This is test code: what goes wrong panics, with the logs of the processes.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    clippy::return_self_not_must_use,
    reason = "a harness fails by panicking, and what it prints is shown when a test fails"
)]

mod background;
mod binaries;
mod client;
mod command;
mod config;
mod cpu_group;
mod database;
mod engine;
mod engine_watch;
mod http;
mod http2;
mod https;
mod load;
mod load_report;
mod pool;
mod ports;
mod process;
mod repo;
mod sample;
mod server;
mod sshd;
mod visitor;
mod wait;
mod websocket;

pub use background::Background;
pub use binaries::test_app;
pub use client::Client;
pub use command::{Ran, program};
pub use config::{AcmeOptions, ServerOptions};
pub use cpu_group::CpuGroup;
pub use database::{Database, DeployRow};
pub use engine::Engine;
pub use engine_watch::{EngineWatch, Watched};
pub use http::{Connection, Http, HttpError, Response};
pub use https::{Https, HttpsAnswer};
pub use load::{Load, LoadPlan};
pub use load_report::{LoadReport, Times};
pub use pool::Pool;
pub use ports::free_port;
pub use process::Process;
pub use repo::AppRepo;
pub use rustix::process::Signal;
pub use sample::{is_whole, sample};
pub use server::Server;
pub use wait::{eventually, wait_until};
pub use websocket::WebSocket;
