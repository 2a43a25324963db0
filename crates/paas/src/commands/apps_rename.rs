use clap::Args;
use paas_domain::AppName;

use super::{AppArg, Arity};
use crate::{context::Context, error::CliError, output};

/// Rename an app; its own hostname follows the name
#[derive(Debug, Args)]
pub(crate) struct AppsRename {
    #[command(flatten)]
    app: AppArg,
    /// The app and its new name
    #[arg(value_name = "[APP] NEW_NAME", required = true)]
    words: Vec<String>,
}

impl AppsRename {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let name = AppName::new(words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
        let info = context.client.rename_app(&app, &name).await?;
        output::line(&format!("Renamed {app} to {name}. In each clone:"))?;
        output::line(&format!("  git remote set-url deploy {}", info.git_remote))
    }
}
