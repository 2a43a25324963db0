use clap::Args;
use paas_domain::KeyName;

use crate::{context::Context, error::CliError, output};

/// Shut an ssh key out
#[derive(Debug, Args)]
pub(crate) struct KeysRemove {
    /// Whose it is
    name: String,
    /// Also when it is the last admin's
    #[arg(long)]
    force: bool,
}

impl KeysRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = KeyName::new(self.name).map_err(|error| CliError::usage(error.to_string()))?;
        context.client.remove_key(&name, self.force).await?;
        output::line(&format!("Removed {name}."))
    }
}
