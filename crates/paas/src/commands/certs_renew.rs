use clap::Args;
use paas_control::wire::RenewCertificate;
use paas_domain::Hostname;

use super::AppArg;
use crate::{context::Context, error::CliError, output};

/// Try the orders of an app's names now; `paas domains APP` shows how they went
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas certs:renew blog                  whatever waits for its next try\n  paas certs:renew blog www.example.org --anew"
)]
pub(crate) struct CertsRenew {
    #[command(flatten)]
    app: AppArg,
    /// The app, and one of its names when it is only about that
    #[arg(value_name = "[APP] [HOSTNAME]")]
    words: Vec<String>,
    /// Also when the present certificate is still good; authorities allow only a few of these a week
    #[arg(long, visible_alias = "force")]
    anew: bool,
}

impl CertsRenew {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split_optional(self.words)?;
        let hostname = words.map(|word| Hostname::new(&word)).transpose();
        let hostname = hostname.map_err(|error| CliError::usage(error.to_string()))?;
        let which = RenewCertificate { hostname, anew: self.anew };
        let names = context.client.renew_certificate(&app, &which).await?;
        output::line(&format!(
            "{} looked at now; `paas domains {app}` shows how it went.",
            output::are_or_is(&names.hostnames)
        ))
    }
}
