use clap::Args;
use paas_domain::AppName;

use crate::{context::Context, error::CliError, output};

/// Create an app; pushing to an app that does not exist creates it too
#[derive(Debug, Args)]
pub(crate) struct AppsCreate {
    /// The app's name: lower-case letters, digits and hyphens
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AppsCreate {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = AppName::new(self.name).map_err(|error| CliError::usage(error.to_string()))?;
        let app = context.client.create_app(&name).await?;
        if self.json {
            return output::json(&app);
        }
        output::line(&format!("Created {name}. Next:"))?;
        output::line(&format!("  git remote add deploy {}", app.git_remote))?;
        output::line("  git push deploy main")
    }
}
