use clap::Args;

use super::ip_list;
use crate::{commands::OneApp, context::Context, error::CliError};

/// List the proxies before this server that are believed when they say who a visitor is
#[derive(Debug, Args)]
pub(crate) struct Proxies {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Proxies {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let ranges = context.client.ip_ranges(&app).await?.trusted_proxies;
        ip_list::print(&ranges, self.json)
    }
}
