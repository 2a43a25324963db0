use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Make the candidate the release that everybody gets
#[derive(Debug, Args)]
pub(crate) struct ReleasesPromote {
    #[command(flatten)]
    app: OneApp,
}

impl ReleasesPromote {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        output::print_change(context.client.promote(&app).await?).await
    }
}
