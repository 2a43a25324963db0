//! Where a command runs and whose it is.

pub(crate) mod remote;

use std::path::Path;

use paas_control::Client;
use paas_domain::KeyId;

use crate::{config::Config, error::CliError};

/// A command on the server: locally by its administrator, or over ssh by the owner of a key.
#[derive(Debug)]
pub(crate) struct Context {
    /// Speaks to control.
    pub(crate) client: Client,
}

impl Context {
    /// The server's own administrator.
    pub(crate) fn server(config: &Path) -> Result<Self, CliError> {
        let config = Config::load(config).map_err(|error| CliError::of(&error))?;
        Ok(Self { client: Client::new(config.control_socket(), None) })
    }

    /// The owner of a key.
    pub(crate) fn session(config: &Config, key: KeyId) -> Self {
        Self { client: Client::new(config.control_socket(), Some(key)) }
    }
}
