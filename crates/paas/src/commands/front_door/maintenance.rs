use clap::Args;

use paas_control::wire::Source;

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
        let setting = info.settings.iter().find(|setting| setting.name == "maintenance");
        let is_on = setting.is_some_and(|setting| setting.value == "on");
        let source = setting.map_or(Source::Default, |setting| setting.source);
        if self.json {
            return output::json(&serde_json::json!({ "maintenance": is_on, "source": source }));
        }
        let word = if is_on { "on" } else { "off" };
        // Somebody who did not say so has to know where it is to be changed.
        output::line(&if source == Source::Manifest {
            format!("{word} (paas.toml)")
        } else {
            word.to_owned()
        })
    }
}
