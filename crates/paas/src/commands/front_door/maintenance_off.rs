use std::collections::BTreeMap;

use clap::Args;
use paas_control::wire::SettingsChange;

use crate::{commands::OneApp, context::Context, error::CliError, output};

/// Let visitors reach an app again
#[derive(Debug, Args)]
#[command(
    after_help = "Wins over `maintenance = true` in paas.toml. `paas http:set blog --maintenance ''` leaves it to paas.toml again."
)]
pub(crate) struct MaintenanceOff {
    #[command(flatten)]
    app: OneApp,
}

impl MaintenanceOff {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        // Not taken back: paas.toml may say that it is on.
        let change =
            SettingsChange { set: BTreeMap::from([("maintenance".to_owned(), Some("off".to_owned()))]) };
        context.client.change_settings(&app, &change).await?;
        output::line(&format!("{app} serves its visitors."))
    }
}
