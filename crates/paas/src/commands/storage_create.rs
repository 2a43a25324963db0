use clap::Args;
use paas_domain::VolumeName;

use crate::{context::Context, error::CliError, output};

/// Create a volume
#[derive(Debug, Args)]
pub(crate) struct StorageCreate {
    /// The volume's name
    name: String,
}

impl StorageCreate {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = VolumeName::new(self.name).map_err(|error| CliError::usage(error.to_string()))?;
        context.client.create_volume(&name).await?;
        output::line(&format!("Created {name}. Next: paas storage:mount APP {name}:/data"))
    }
}
