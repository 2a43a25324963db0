use std::collections::BTreeMap;

use clap::Args;
use paas_control::wire::SettingsChange;

use crate::{commands::OneApp, context::Context, error::CliError, output};

/// Show all visitors of an app its maintenance page; deploys and stops do not end it
#[derive(Debug, Args)]
pub(crate) struct MaintenanceOn {
    #[command(flatten)]
    app: OneApp,
}

impl MaintenanceOn {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let change =
            SettingsChange { set: BTreeMap::from([("maintenance".to_owned(), Some("on".to_owned()))]) };
        context.client.change_settings(&app, &change).await?;
        output::line(&format!(
            "Visitors of {app} see its maintenance page until `paas maintenance:off {app}`."
        ))
    }
}
