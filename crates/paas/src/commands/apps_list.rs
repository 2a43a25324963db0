use clap::Args;

use super::app_state;
use crate::{context::Context, error::CliError, output};

/// List the apps
#[derive(Debug, Args)]
pub(crate) struct AppsList {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AppsList {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let apps = context.client.list_apps().await?;
        if self.json {
            return output::json(&apps);
        }
        if apps.is_empty() {
            return output::line("There is no app yet: `paas apps:create NAME`, or push one.");
        }
        let rows: Vec<[String; 4]> = apps
            .into_iter()
            .map(|app| {
                let release = app.release.map_or_else(String::new, |release| release.to_string());
                [
                    app.name.to_string(),
                    app_state(app.state).to_owned(),
                    release,
                    app.urls.into_iter().next().unwrap_or_default(),
                ]
            })
            .collect();
        output::print_table(["NAME", "STATE", "RELEASE", "URL"], &rows)
    }
}
