use clap::Args;
use futures_util::StreamExt as _;
use paas_control::wire::LogsQuery;
use paas_domain::ProcessType;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Show what the app prints
#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    app: OneApp,
    /// Go on as lines come
    #[arg(short = 't', long, visible_alias = "follow")]
    tail: bool,
    /// How many of the last lines
    #[arg(short = 'n', long = "num", value_name = "N", default_value_t = 100)]
    lines: u32,
    /// Only of one process type
    #[arg(short = 'p', long = "ps", value_name = "TYPE")]
    process: Option<ProcessType>,
    /// The requests instead, from the app's access log
    #[arg(long, conflicts_with = "process")]
    access: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Logs {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let query = LogsQuery {
            tail: Some(self.lines),
            follow: self.tail,
            process: self.process,
            access: self.access,
        };
        let mut entries = context.client.logs(&app, &query).await?;
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            if self.json {
                let text = serde_json::to_string(&entry).map_err(|error| CliError::ours(&error))?;
                output::line(&text)?;
                continue;
            }
            if self.access {
                // As it is in the file, for the programs that read such lines.
                output::line(&output::inert(&entry.text))?;
                continue;
            }
            let timestamp = entry.timestamp.unwrap_or_default();
            output::line(&format!("{timestamp} {}: {}", entry.process, output::inert(&entry.text)))?;
        }
        Ok(())
    }
}
