use clap::Args;

use super::OneApp;
use crate::{context::Context, dotenv, error::CliError, output};

/// Show the config vars of an app, in a form that config:import reads
#[derive(Debug, Args)]
pub(crate) struct Config {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Config {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let vars = context.client.config(&app).await?;
        if self.json {
            return output::json(&vars.config);
        }
        for (key, value) in &vars.config {
            // Standard output of the person who asked for the values is where they belong.
            output::line(&format!("{key}={}", dotenv::quote(value.expose())))?;
        }
        Ok(())
    }
}
