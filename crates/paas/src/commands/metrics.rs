use clap::Args;

use crate::{context::Context, error::CliError, output};

/// Print what is counted, as Prometheus reads it
#[derive(Debug, Args)]
#[command(
    after_help = "To have it scraped: [metrics] listen = \"127.0.0.1:9180\" in /etc/paas/paas.toml, then GET /metrics."
)]
pub(crate) struct Metrics {}

impl Metrics {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        output::line(context.client.metrics().await?.trim_end())
    }
}
