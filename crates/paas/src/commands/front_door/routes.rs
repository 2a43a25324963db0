use clap::Args;
use paas_control::wire::RouteInfo;

use crate::{
    commands::{OneApp, source},
    context::Context,
    error::CliError,
    output,
};

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
        let row = |route: &RouteInfo| {
            [format!("{}{}", route.host, route.path), strip(route.strip), source(route.source).to_owned()]
        };
        let rows: Vec<_> = routes.iter().map(row).collect();
        output::print_table(["ROUTE", "THE APP GETS", "FROM"], &rows)
    }
}
