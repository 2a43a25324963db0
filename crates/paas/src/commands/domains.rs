use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// List the hostnames of an app and how their certificates stand
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
        let rows: Vec<[String; 5]> = domains
            .iter()
            .map(|domain| {
                let [state, issuer, days, next] = output::certificate_cells(&domain.certificate);
                [domain.hostname.to_string(), state, issuer, days, next]
            })
            .collect();
        output::print_table(["HOSTNAME", "CERTIFICATE", "ISSUER", "DAYS LEFT", "NEXT TRY"], &rows)?;
        output::print_sentences(domains.iter().map(|domain| (&domain.hostname, &domain.certificate)))
    }
}
