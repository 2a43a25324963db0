use clap::Args;

use crate::{
    commands::{OneApp, source},
    context::Context,
    error::CliError,
    output,
};

/// List who may visit an app by basic auth; without a user everybody may
#[derive(Debug, Args)]
pub(crate) struct Auth {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Auth {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let users = context.client.users(&app).await?;
        if self.json {
            return output::json(&users);
        }
        let rows: Vec<_> =
            users.iter().map(|user| [user.user.to_string(), source(user.source).to_owned()]).collect();
        output::print_table(["USER", "FROM"], &rows)
    }
}
