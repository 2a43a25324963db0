use clap::Args;
use paas_control::wire::AddRedirect;
use paas_domain::{Hostname, RedirectStatus};

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Send visitors of one hostname to the same path of another
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  paas redirects:add blog www.example.com example.com\nA domain of the app becomes a redirect: from then on it is not served."
)]
pub(crate) struct RedirectsAdd {
    #[command(flatten)]
    app: AppArg,
    /// The app, the hostname visitors ask for, and the one they are sent to
    #[arg(value_name = "[APP] HOSTNAME TO", required = true)]
    words: Vec<String>,
    /// 308 or 301 for good, 307 or 302 for now; with 301 and 302 browsers may make a GET of a POST
    #[arg(long, value_name = "STATUS", default_value_t = RedirectStatus::default().code())]
    status: u16,
}

impl RedirectsAdd {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(2))?;
        let mut hosts = words.iter().map(|word| Hostname::new(word));
        let (Some(host), Some(to)) = (hosts.next(), hosts.next()) else {
            return Err(CliError::usage("say the hostname, and where its visitors are sent"));
        };
        let usage = |error: paas_domain::NameError| CliError::usage(error.to_string());
        let status = RedirectStatus::try_from(self.status).map_err(usage)?;
        let redirect = AddRedirect { host: host.map_err(usage)?, to: to.map_err(usage)?, status };
        context.client.add_redirect(&app, &redirect).await?;
        output::line(&format!("Visitors of {} are sent to {}.", redirect.host, redirect.to))
    }
}
