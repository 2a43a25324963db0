use clap::Args;

use crate::{context::Context, error::CliError, output};

/// Remove every app with its volumes, before uninstalling
#[derive(Debug, Args)]
pub(crate) struct Purge {
    /// Yes, all data
    #[arg(long)]
    force: bool,
}

impl Purge {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        if !self.force {
            return Err(CliError::refused("this removes every app and every volume with its data")
                .hint("say it again with --force"));
        }
        let purged = context.client.purge().await?;
        output::line(&format!("Removed {} apps and {} volumes.", purged.apps, purged.volumes))
    }
}
