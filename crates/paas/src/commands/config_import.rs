use clap::Args;
use paas_control::wire::ConfigChange;

use super::{OneApp, config_set::read_input};
use crate::{context::Context, dotenv, error::CliError, output};

/// Set the config vars listed on standard input (KEY=value lines, quotes as in .env files)
#[derive(Debug, Args)]
pub(crate) struct ConfigImport {
    #[command(flatten)]
    app: OneApp,
    /// Only store them; they take effect at the next deploy
    #[arg(long)]
    no_restart: bool,
}

impl ConfigImport {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let set = dotenv::parse(&read_input()?).map_err(|error| CliError::usage(error.to_string()))?;
        let change = ConfigChange { set, unset: Vec::new(), restart: !self.no_restart };
        output::print_change(context.client.change_config(&app, &change).await?).await
    }
}
