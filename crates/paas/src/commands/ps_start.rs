use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Start a stopped app
#[derive(Debug, Args)]
pub(crate) struct PsStart {
    #[command(flatten)]
    app: OneApp,
}

impl PsStart {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        output::print_change(context.client.start(&app).await?).await
    }
}
