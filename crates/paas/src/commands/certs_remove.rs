use clap::Args;
use paas_control::wire::RemoveCertificate;
use paas_domain::Hostname;

use super::AppArg;
use crate::{context::Context, error::CliError, output};

/// Take your own certificate away from an app; its names get one by themselves again
#[derive(Debug, Args)]
pub(crate) struct CertsRemove {
    #[command(flatten)]
    app: AppArg,
    /// The app, and a name the certificate is for when the app has several certificates of its own
    #[arg(value_name = "[APP] [HOSTNAME]")]
    words: Vec<String>,
}

impl CertsRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split_optional(self.words)?;
        let hostname = words.map(|word| Hostname::new(&word)).transpose();
        let hostname = hostname.map_err(|error| CliError::usage(error.to_string()))?;
        context.client.remove_certificate(&app, &RemoveCertificate { hostname }).await?;
        output::line(&format!("The certificate is gone; the names of {app} get one by themselves."))
    }
}
