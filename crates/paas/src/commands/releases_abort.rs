use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Take the candidate back; everybody gets the active release again
#[derive(Debug, Args)]
pub(crate) struct ReleasesAbort {
    #[command(flatten)]
    app: OneApp,
}

impl ReleasesAbort {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let aborted = context.client.abort_candidate(&app).await?;
        output::line(&format!("{} is no longer the candidate; its containers are gone.", aborted.release))?;
        output::line("The branch on the server stays at its commit: push what is to run next.")
    }
}
