use clap::Args;

use crate::{context::Context, error::CliError, output};

/// Print the root of the server's own authority, to trust it on your machines
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ssh paas@HOST certs:ca > paas-root.pem")]
pub(crate) struct CertsCa {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CertsCa {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let root = context.client.root_certificate().await?;
        if self.json {
            return output::json(&root);
        }
        output::line(root.certificate.trim_end())
    }
}
