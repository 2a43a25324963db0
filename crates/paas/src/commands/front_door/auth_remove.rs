use clap::Args;
use paas_domain::UserName;

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Let a user visit an app no more; without a user everybody may
#[derive(Debug, Args)]
pub(crate) struct AuthRemove {
    #[command(flatten)]
    app: AppArg,
    /// The app and the user
    #[arg(value_name = "[APP] USER", required = true)]
    words: Vec<String>,
}

impl AuthRemove {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let user = UserName::new(words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
        context.client.remove_user(&app, &user).await?;
        output::line(&if context.client.users(&app).await?.is_empty() {
            format!("{user} was the last user: everybody may visit {app} now.")
        } else {
            format!("{user} may visit {app} no more.")
        })
    }
}
