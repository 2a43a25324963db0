use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// List the domains of an app beside its own hostname
#[derive(Debug, Args)]
pub(crate) struct Domains {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Domains {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let domains = context.client.domains(&app).await?;
        if self.json {
            return output::json(&domains);
        }
        let rows: Vec<[String; 1]> =
            domains.into_iter().map(|domain| [domain.hostname.to_string()]).collect();
        output::print_table(["HOSTNAME"], &rows)
    }
}
