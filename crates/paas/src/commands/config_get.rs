use clap::Args;

use super::{AppArg, Arity, config_set::config_key};
use crate::{context::Context, error::CliError, output};

/// Print the value of one config var
#[derive(Debug, Args)]
pub(crate) struct ConfigGet {
    #[command(flatten)]
    app: AppArg,
    /// The app and the config var
    #[arg(value_name = "[APP] KEY", required = true)]
    words: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ConfigGet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let key = config_key(&words.concat())?;
        let vars = context.client.config(&app).await?;
        match vars.config.get(&key) {
            Some(value) if self.json => output::json(value),
            // Standard output of the person who asked for the value is where it belongs.
            Some(value) => output::line(value.expose()),
            None => Err(CliError::refused(format!("{app} has no config var {key}"))
                .hint(format!("`paas config {app}` shows what it has"))),
        }
    }
}
