use clap::Args;

use super::{OneApp, setting::change_settings};
use crate::{context::Context, error::CliError};

/// Set where the Dockerfile is and what it sees
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  paas builds:set blog --dockerfile deploy/Dockerfile --context .")]
pub(crate) struct BuildsSet {
    #[command(flatten)]
    app: OneApp,
    /// The Dockerfile, from the root of the repository; an empty value takes the setting back
    #[arg(long, value_name = "PATH")]
    dockerfile: Option<String>,
    /// The directory COPY sees, from the root of the repository; an empty value takes the setting back
    #[arg(long, value_name = "DIR")]
    context: Option<String>,
}

impl BuildsSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let settings = [("dockerfile", self.dockerfile), ("build_context", self.context)];
        change_settings(context, &app, settings).await
    }
}
