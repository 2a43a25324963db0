use clap::Args;

use super::{OneApp, setting::change_settings};
use crate::{context::Context, error::CliError};

/// Set how a new container proves that it is healthy
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  paas checks:set blog --path /health --timeout 2m")]
pub(crate) struct ChecksSet {
    #[command(flatten)]
    app: OneApp,
    /// The path that must answer 2xx; default /up; an empty value takes the setting back
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// How long the app may take to start; default 60s; an empty value takes the setting back
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
}

impl ChecksSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let settings = [("health_path", self.path), ("health_timeout", self.timeout)];
        change_settings(context, &app, settings).await
    }
}
