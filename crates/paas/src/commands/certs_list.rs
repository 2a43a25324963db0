use clap::Args;

use crate::{context::Context, error::CliError, output};

/// List every hostname with its certificate
#[derive(Debug, Args)]
pub(crate) struct CertsList {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CertsList {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let names = context.client.certificates().await?;
        if self.json {
            return output::json(&names);
        }
        let rows: Vec<[String; 6]> = names
            .iter()
            .map(|name| {
                let app = name.app.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
                let [state, issuer, days, next] = output::certificate_cells(&name.certificate);
                [name.hostname.to_string(), app, state, issuer, days, next]
            })
            .collect();
        output::print_table(["HOSTNAME", "APP", "CERTIFICATE", "ISSUER", "DAYS LEFT", "NEXT TRY"], &rows)?;
        output::print_sentences(names.iter().map(|name| (&name.hostname, &name.certificate)))
    }
}
