use std::collections::BTreeMap;

use clap::Args;
use paas_control::wire::SettingsChange;

use crate::{commands::OneApp, context::Context, error::CliError, output};

/// Let visitors reach an app again
#[derive(Debug, Args)]
pub(crate) struct MaintenanceOff {
    #[command(flatten)]
    app: OneApp,
}

impl MaintenanceOff {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let change = SettingsChange { set: BTreeMap::from([("maintenance".to_owned(), None)]) };
        context.client.change_settings(&app, &change).await?;
        output::line(&format!("{app} serves its visitors."))
    }
}
