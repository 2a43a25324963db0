use clap::Args;
use paas_control::wire::AddCertificate;
use paas_domain::Secret;

use super::{OneApp, config_set::read_input};
use crate::{context::Context, error::CliError, output};

/// Serve an app's names with your own certificate; chain and private key come on standard input, as PEM
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cat fullchain.pem privkey.pem | paas certs:add blog")]
pub(crate) struct CertsAdd {
    #[command(flatten)]
    app: OneApp,
}

impl CertsAdd {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let certificate = AddCertificate { pem: Secret::new(read_input()?) };
        let names = context.client.add_certificate(&app, &certificate).await?;
        output::line(&format!("{} served with it from now on.", output::are_or_is(&names.hostnames)))
    }
}
