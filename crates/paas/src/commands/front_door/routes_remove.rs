use clap::Args;
use paas_control::wire::RemoveRoute;

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Lead a path of a hostname away from an app
#[derive(Debug, Args)]
pub(crate) struct RoutesRemove {
    #[command(flatten)]
    app: AppArg,
    /// The app and the route, for example example.com/blog
    #[arg(value_name = "[APP] HOSTNAME/PATH", required = true)]
    words: Vec<String>,
}

impl RoutesRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let route = RemoveRoute { route: words.concat() };
        context.client.remove_route(&app, &route).await?;
        output::line(&format!("{} leads to {app} no more.", output::inert(&route.route)))
    }
}
