use clap::Args;

use super::{OneApp, setting::change_settings};
use crate::{context::Context, error::CliError};

/// Set how visitors come to HTTPS; takes effect at once
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  paas https:set blog --hsts-days 180")]
pub(crate) struct HttpsSet {
    #[command(flatten)]
    app: OneApp,
    /// Whether plain HTTP is redirected once there is a certificate that browsers trust: on or off; default on; an empty value takes
    /// the setting back
    #[arg(long, value_name = "on|off")]
    redirect: Option<String>,
    /// For how many days browsers come by HTTPS alone (Strict-Transport-Security); default 0, which is not at all; an empty value takes
    /// the setting back
    #[arg(long, value_name = "DAYS")]
    hsts_days: Option<String>,
}

impl HttpsSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let settings = [("https_redirect", self.redirect), ("hsts_days", self.hsts_days)];
        change_settings(context, &app, settings).await
    }
}
