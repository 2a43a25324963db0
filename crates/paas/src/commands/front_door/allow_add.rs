use clap::Args;
use paas_control::wire::IpList;

use super::ip_list;
use crate::{commands::AppArg, context::Context, error::CliError, output};

/// Let visitors come from a range of addresses; from others they are refused
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  paas allow:add blog 10.0.0.0/8\nA list made by command stands in place of the one in paas.toml."
)]
pub(crate) struct AllowAdd {
    #[command(flatten)]
    app: AppArg,
    /// The app and where they come from, an address or a range like 10.0.0.0/8
    #[arg(value_name = "[APP] RANGE", required = true)]
    words: Vec<String>,
}

impl AllowAdd {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, change) = ip_list::change(&self.app, self.words, IpList::Allow)?;
        context.client.add_ip_range(&app, &change).await?;
        output::line(&format!(
            "Visitors from {} reach {app}; `paas allow {app}` lists all who do.",
            change.range
        ))
    }
}
