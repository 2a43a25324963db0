use clap::Args;
use paas_control::wire::AddRoute;

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Lead a path of a hostname to an app, whichever app the rest of the hostname leads to
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  paas routes:add blog example.com/blog --strip\nThe hostname may be another app's, of one that you may use as well. The longest path wins."
)]
pub(crate) struct RoutesAdd {
    #[command(flatten)]
    app: AppArg,
    /// The app and the route, for example example.com/blog
    #[arg(value_name = "[APP] HOSTNAME/PATH", required = true)]
    words: Vec<String>,
    /// Give the app the path without this part of it (which it finds in X-Forwarded-Prefix)
    #[arg(long)]
    strip: bool,
}

impl RoutesAdd {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let route = AddRoute { route: words.concat(), strip: self.strip };
        context.client.add_route(&app, &route).await?;
        output::line(&format!("{} now leads to {app}.", output::inert(&route.route)))
    }
}
