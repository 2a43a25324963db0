//! The API of the control plane over its Unix socket: wire types, handlers and the client.
//!
//! HTTP/1.1 with JSON. [`serve`] answers, [`Client`] asks, [`wire`] is what travels. Every route has a rule that says who may use it
//! (`server/routes.rs`), and streams are one JSON value per line.

// The tests in this crate share their set-up with those beside it, which know it by its name.
#[cfg(test)]
extern crate self as paas_control;

pub mod client;
mod server;
pub mod wire;

pub use client::{Change, Client, ClientError, DeployEvents, LogEntries};
pub use server::{
    AccessLogDirectory, AuthorizedKeys, ControlState, RenderKeysError, ServeError, serve, serve_metrics,
};
