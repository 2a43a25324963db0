use clap::Args;
use paas_control::wire::IpList;

use super::ip_list;
use crate::{commands::AppArg, context::Context, error::CliError, output};

/// Let visitors come from a range of addresses no more; without any range they come from everywhere
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  paas allow:remove blog 10.0.0.0/8")]
pub(crate) struct AllowRemove {
    #[command(flatten)]
    app: AppArg,
    /// The app and the range, an address or a range like 10.0.0.0/8
    #[arg(value_name = "[APP] RANGE", required = true)]
    words: Vec<String>,
}

impl AllowRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, change) = ip_list::change(&self.app, self.words, IpList::Allow)?;
        context.client.remove_ip_range(&app, &change).await?;
        let left = context.client.ip_ranges(&app).await?.allow;
        output::line(&if left.ranges.is_empty() {
            format!(
                "{} is removed, and with it the list: visitors reach {app} from everywhere.",
                change.range
            )
        } else {
            format!("{} is removed; `paas allow {app}` lists where visitors may come from.", change.range)
        })
    }
}
