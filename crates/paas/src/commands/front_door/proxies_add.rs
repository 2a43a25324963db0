use clap::Args;
use paas_control::wire::IpList;

use super::ip_list;
use crate::{commands::AppArg, context::Context, error::CliError, output};

/// Believe a proxy before this server (a CDN) when it says who a visitor is
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  paas proxies:add blog 198.51.100.0/24\nA CDN publishes the ranges of its own proxies; they change, so no list is built in."
)]
pub(crate) struct ProxiesAdd {
    #[command(flatten)]
    app: AppArg,
    /// The app and the address of the proxy, an address or a range like 10.0.0.0/8
    #[arg(value_name = "[APP] RANGE", required = true)]
    words: Vec<String>,
}

impl ProxiesAdd {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, change) = ip_list::change(&self.app, self.words, IpList::TrustedProxies)?;
        context.client.add_ip_range(&app, &change).await?;
        output::line(&format!("What proxies at {} say about visitors of {app} is believed.", change.range))
    }
}
