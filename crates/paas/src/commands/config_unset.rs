use std::collections::BTreeMap;

use clap::Args;
use paas_control::wire::ConfigChange;

use super::{AppArg, Arity, config_set::config_key};
use crate::{context::Context, error::CliError, output};

/// Remove config vars and deploy the app without them
#[derive(Debug, Args)]
pub(crate) struct ConfigUnset {
    #[command(flatten)]
    app: AppArg,
    /// The app and the config vars
    #[arg(value_name = "[APP] KEY…", required = true)]
    words: Vec<String>,
    /// Only store it; it takes effect at the next deploy
    #[arg(long)]
    no_restart: bool,
}

impl ConfigUnset {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Any)?;
        if words.is_empty() {
            return Err(CliError::usage("say which config vars to remove"));
        }
        let unset = words.iter().map(|word| config_key(word)).collect::<Result<_, _>>()?;
        let change = ConfigChange { set: BTreeMap::new(), unset, restart: !self.no_restart };
        output::print_change(context.client.change_config(&app, &change).await?).await
    }
}
