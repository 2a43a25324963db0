use clap::Args;

use super::ip_list;
use crate::{commands::OneApp, context::Context, error::CliError};

/// List where visitors may come from; without a range from everywhere
#[derive(Debug, Args)]
pub(crate) struct Allow {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Allow {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let ranges = context.client.ip_ranges(&app).await?.allow;
        ip_list::print(&ranges, self.json)
    }
}
