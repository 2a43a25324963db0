use clap::Args;

use super::AppArg;
use crate::{context::Context, error::CliError, output};

/// Start a stopped app
#[derive(Debug, Args)]
pub(crate) struct PsStart {
    #[command(flatten)]
    app: AppArg,
    /// The app
    #[arg(value_name = "APP")]
    word: Option<String>,
}

impl PsStart {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.only(self.word)?;
        output::print_change(context.client.start(&app).await?).await
    }
}
