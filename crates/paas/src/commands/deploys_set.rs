use clap::Args;

use super::{OneApp, setting::change_settings};
use crate::{context::Context, error::CliError};

/// Set how the old containers go
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  paas deploys:set blog --drain-timeout 2m --stop-grace 30s")]
pub(crate) struct DeploysSet {
    #[command(flatten)]
    app: OneApp,
    /// How long old requests may go on after a switch; default 30s; an empty value takes the setting back
    #[arg(long, value_name = "DURATION")]
    drain_timeout: Option<String>,
    /// Between SIGTERM and SIGKILL; default 30s; an empty value takes the setting back
    #[arg(long, value_name = "DURATION")]
    stop_grace: Option<String>,
}

impl DeploysSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let settings = [("drain_timeout", self.drain_timeout), ("stop_grace", self.stop_grace)];
        change_settings(context, &app, settings).await
    }
}
