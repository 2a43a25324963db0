use clap::Args;
use paas_domain::VolumeName;

use crate::{context::Context, error::CliError, output};

/// Remove a volume and its data for ever
#[derive(Debug, Args)]
pub(crate) struct StorageDestroy {
    /// The volume's name
    name: String,
    /// Remove it without asking for its name again
    #[arg(long)]
    force: bool,
    /// The volume's name again
    #[arg(long, value_name = "VOLUME")]
    confirm: Option<String>,
}

impl StorageDestroy {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = VolumeName::new(self.name).map_err(|error| CliError::usage(error.to_string()))?;
        if !self.force && self.confirm.as_deref() != Some(name.as_str()) {
            return Err(CliError::refused(format!("this removes {name} and all its data for ever"))
                .hint(format!("say it again with --confirm {name}, or --force")));
        }
        context.client.destroy_volume(&name).await?;
        output::line(&format!("Removed {name} and its data."))
    }
}
