//! Where a command runs and whose it is.

mod local_input;
pub(crate) mod remote;

use std::path::Path;

use paas_control::Client;
use paas_domain::KeyId;

pub(crate) use self::local_input::LocalInput;
use crate::{config::Config, error::CliError};

/// A command on the server: locally by its administrator, or over ssh by the owner of a key.
#[derive(Debug)]
pub(crate) struct Context {
    /// Speaks to control.
    pub(crate) client: Client,
    /// Whether a file that a command names is the person's own. Over ssh it would be one of the server's.
    pub(crate) reads_files: bool,
}

impl Context {
    /// The server's own administrator.
    pub(crate) fn server(config: &Path) -> Result<Self, CliError> {
        let config = Config::load(config).map_err(|error| CliError::of(&error))?;
        Ok(Self { client: Client::new(config.control_socket(), None), reads_files: true })
    }

    /// The owner of a key.
    pub(crate) fn session(config: &Config, key: KeyId) -> Self {
        Self { client: Client::new(config.control_socket(), Some(key)), reads_files: false }
    }
}
