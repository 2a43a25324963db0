use clap::Args;

use super::AppArg;
use crate::{context::Context, error::CliError, output};

/// Start new containers of the current release and retire the old ones, without losing a request
#[derive(Debug, Args)]
pub(crate) struct PsRestart {
    #[command(flatten)]
    app: AppArg,
    /// The app
    #[arg(value_name = "APP")]
    word: Option<String>,
}

impl PsRestart {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.only(self.word)?;
        output::print_change(context.client.restart(&app).await?).await
    }
}
