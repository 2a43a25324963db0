use clap::Args;
use paas_control::wire::{AddUser, Source};
use paas_domain::UserName;

use crate::{
    commands::{AppArg, Arity, new_password},
    context::{Context, LocalInput},
    error::CliError,
    output,
};

/// Let a user visit an app by basic auth, or give one a new password; with a first user nobody else may
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas auth:add blog ann                    asks for the password\n  paas auth:add blog ann --generate         makes one and shows it once\n  ssh paas@HOST auth:add blog ann < FILE    reads it from standard input\nOnly a hash of the password is kept."
)]
pub(crate) struct AuthAdd {
    #[command(flatten)]
    app: AppArg,
    /// The app and the user
    #[arg(value_name = "[APP] USER", required = true)]
    words: Vec<String>,
    /// Make a password and show it, once
    #[arg(long)]
    generate: bool,
}

impl AuthAdd {
    pub(super) fn local_input(&self) -> LocalInput {
        if self.generate { LocalInput::Inherited } else { LocalInput::Password }
    }

    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let user = UserName::new(words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
        let add = AddUser { user, password: new_password::read(self.generate)? };
        let before = context.client.users(&app).await?;
        context.client.add_user(&app, &add).await?;
        if self.generate {
            // Printed, because nobody could know it else.
            output::line(&format!("{}:{}", add.user, add.password.expose()))?;
        }
        output::line(&format!("{} may visit {app}.", add.user))?;
        if before.iter().any(|user| user.source == Source::Manifest) {
            output::line("The users in paas.toml may not any more: those by command stand in their place.")?;
        }
        Ok(())
    }
}
