//! The client of the API: one connection for each call, typed on both ends.

mod apps;
mod call;
mod certificates;
mod error;
mod front_door;
mod keys;
mod metrics;
mod processes;
mod pushes;
mod storage;
mod stream;

use std::path::PathBuf;

use paas_domain::KeyId;

pub use error::ClientError;
pub use stream::{DeployEvents, Lines, LogEntries};

use crate::wire::Saved;

/// Speaks to control over its Unix socket. Cheap to make; every call is a connection of its own.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
    key: Option<KeyId>,
}

/// The answer to a change that may be followed by a deploy.
#[derive(Debug)]
pub enum Change {
    /// It is stored, and no deploy follows.
    Saved(Saved),
    /// It is stored, and a deploy brings it to the running app.
    Deploying(DeployEvents),
}

impl Client {
    /// Speaks for that ssh key, or as the administrator on the server without one.
    pub fn new(socket: PathBuf, key: Option<KeyId>) -> Self {
        Self { socket, key }
    }
}
