use clap::Args;
use paas_control::wire::Source;
use paas_domain::UserName;

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Let a user visit an app no more; without a user everybody may, or those in paas.toml
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
        output::line(&match context.client.users(&app).await?.first().map(|user| user.source) {
            None => format!("{user} was the last user: everybody may visit {app} now."),
            Some(Source::Manifest) => {
                format!("{user} was the last user by command: those in paas.toml may visit {app} now.")
            }
            Some(_) => format!("{user} may visit {app} no more."),
        })
    }
}
