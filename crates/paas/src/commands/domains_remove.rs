use clap::Args;
use paas_domain::Hostname;

use super::{AppArg, Arity};
use crate::{context::Context, error::CliError, output};

/// Lead a hostname away from an app
#[derive(Debug, Args)]
pub(crate) struct DomainsRemove {
    #[command(flatten)]
    app: AppArg,
    /// The app and the hostname, for example www.example.org or *.example.org
    #[arg(value_name = "[APP] HOSTNAME", required = true)]
    words: Vec<String>,
}

impl DomainsRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let host = Hostname::new(&words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
        context.client.remove_domain(&app, &host).await?;
        output::line(&format!("{host} leads to {app} no more."))
    }
}
