use clap::Args;

use crate::{
    commands::{OneApp, source},
    context::Context,
    error::CliError,
    output,
};

/// List the hostnames that an app redirects
#[derive(Debug, Args)]
pub(crate) struct Redirects {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Redirects {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let redirects = context.client.redirects(&app).await?;
        if self.json {
            return output::json(&redirects);
        }
        let rows: Vec<_> = redirects
            .iter()
            .map(|redirect| {
                [
                    redirect.host.to_string(),
                    redirect.to.to_string(),
                    redirect.status.to_string(),
                    source(redirect.source).to_owned(),
                ]
            })
            .collect();
        output::print_table(["HOSTNAME", "TO", "STATUS", "FROM"], &rows)
    }
}
