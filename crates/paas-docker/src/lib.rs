//! The container engine: the trait [`Engine`], the real one over its Unix socket, and a stateful fake for tests.

mod build;
mod client;
mod containers;
mod engine;
mod error;
mod events;
mod failure;
pub mod fake;
mod images;
pub mod label;
mod lines;
mod logs;
mod name;
mod networks;
mod subnet;
mod volumes;
mod wire;

pub use client::DockerEngine;
pub use engine::*;
pub use error::{BuildError, EngineError};
pub use fake::FakeEngine;
