use clap::Args;

use super::{OneApp, setting::change_settings};
use crate::{context::Context, error::CliError};

/// Set how a new release takes the place of the old one
#[derive(Debug, Args)]
#[command(after_help = "Strategies:
  rolling   the new containers start beside the old ones; nobody waits
  hold      visitors wait while the old containers stop and the new ones start: never two versions at one time
  recreate  as hold, but visitors are answered 503: for apps that start slowly

Examples:
  paas deploys:set blog --strategy hold
  paas deploys:set blog --drain-timeout 2m --stop-grace 30s")]
pub(crate) struct DeploysSet {
    #[command(flatten)]
    app: OneApp,
    /// rolling, hold or recreate; default rolling; an empty value takes the setting back
    #[arg(long, value_name = "STRATEGY")]
    strategy: Option<String>,
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
        let settings = [
            ("strategy", self.strategy),
            ("drain_timeout", self.drain_timeout),
            ("stop_grace", self.stop_grace),
        ];
        change_settings(context, &app, settings).await
    }
}
