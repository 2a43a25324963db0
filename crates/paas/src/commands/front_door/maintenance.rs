use clap::Args;

use crate::{commands::OneApp, context::Context, error::CliError, output};

/// Say whether visitors of an app see its maintenance page
#[derive(Debug, Args)]
pub(crate) struct Maintenance {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Maintenance {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let info = context.client.app(&app).await?;
        let is_on =
            info.settings.iter().any(|setting| setting.name == "maintenance" && setting.value == "on");
        if self.json {
            return output::json(&serde_json::json!({ "maintenance": is_on }));
        }
        output::line(if is_on { "on" } else { "off" })
    }
}
