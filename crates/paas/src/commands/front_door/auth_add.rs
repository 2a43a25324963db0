use std::io::IsTerminal as _;

use clap::Args;
use paas_control::wire::AddUser;
use paas_domain::{Secret, UserName};
use rand::distr::{Alphanumeric, SampleString as _};

use crate::{
    commands::{AppArg, Arity, config_set::read_input},
    context::{Context, LocalInput},
    error::CliError,
    output, password_prompt,
};

/// Some 140 bits.
const GENERATED: usize = 24;

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
        let password = if self.generate {
            Secret::new(Alphanumeric.sample_string(&mut rand::rng(), GENERATED))
        } else if std::io::stdin().is_terminal() {
            password_prompt::ask()?
        } else {
            let text = read_input()?;
            Secret::new(text.strip_suffix('\n').map_or(text.as_str(), |line| line.trim_end_matches('\r')))
        };
        let add = AddUser { user, password };
        context.client.add_user(&app, &add).await?;
        if self.generate {
            // The one place where a password is printed: nobody could know it else.
            output::line(&format!("{}:{}", add.user, add.password.expose()))?;
        }
        output::line(&format!("{} may visit {app}.", add.user))
    }
}
