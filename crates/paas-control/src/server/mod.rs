//! The server's side: who asks, what they may, and one handler for each endpoint.

mod access_log;
mod authorized_keys;
mod change;
mod extract;
mod failure;
mod handlers;
mod identity;
mod listen;
mod metrics;
mod metrics_listener;
mod ndjson;
mod peer;
mod push_registry;
mod routes;
mod rule;
mod state;
mod view;

#[cfg(test)]
mod rule_test;
#[cfg(test)]
#[path = "../../tests/support/mod.rs"]
mod support;

pub use access_log::AccessLogDirectory;
pub use authorized_keys::{AuthorizedKeys, RenderKeysError};
pub use listen::{ServeError, serve};
pub use metrics_listener::serve_metrics;
pub use state::ControlState;
