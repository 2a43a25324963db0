use clap::Args;
use paas_domain::Hostname;

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Redirect a hostname no more
#[derive(Debug, Args)]
pub(crate) struct RedirectsRemove {
    #[command(flatten)]
    app: AppArg,
    /// The app and the hostname
    #[arg(value_name = "[APP] HOSTNAME", required = true)]
    words: Vec<String>,
}

impl RedirectsRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let host = Hostname::new(&words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
        context.client.remove_redirect(&app, &host).await?;
        output::line(&format!(
            "{host} is redirected no more; `paas domains:add {app} {host}` leads it to {app}."
        ))
    }
}
