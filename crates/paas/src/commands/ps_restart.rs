use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Start new containers of the current release and retire the old ones, without losing a request
#[derive(Debug, Args)]
pub(crate) struct PsRestart {
    #[command(flatten)]
    app: OneApp,
}

impl PsRestart {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        output::print_change(context.client.restart(&app).await?).await
    }
}
