use clap::Args;

use crate::{
    commands::{OneApp, setting::change_settings},
    context::Context,
    error::CliError,
};

/// Set how an app's requests are written down; takes effect at once
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  paas access-log:set blog --format json")]
pub(crate) struct AccessLogSet {
    #[command(flatten)]
    app: OneApp,
    /// json (one object a line), combined (as Apache's servers write it) or off, which is the default; an empty value takes the setting back
    #[arg(long, value_name = "FORMAT")]
    format: String,
}

impl AccessLogSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        change_settings(context, &app, [("access_log", Some(self.format))]).await
    }
}
