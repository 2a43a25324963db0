use clap::Args;

use crate::{commands::OneApp, context::Context, error::CliError, output};

/// List the paths of hostnames that lead to an app
#[derive(Debug, Args)]
pub(crate) struct Routes {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Routes {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let routes = context.client.routes(&app).await?;
        if self.json {
            return output::json(&routes);
        }
        let strip = |strip: bool| if strip { "without the path" } else { "whole" }.to_owned();
        let rows: Vec<_> = routes.iter().map(|route| [route.to_string(), strip(route.strip)]).collect();
        output::print_table(["ROUTE", "THE APP GETS"], &rows)
    }
}
