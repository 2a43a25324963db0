use clap::Args;
use paas_control::{
    ClientError,
    wire::{AddKey, ErrorKind},
};
use paas_domain::{AppName, KeyName};

use super::config_set::read_input;
use crate::{context::Context, error::CliError, output};

/// Let an ssh key in: an admin's, or with --app one that sees only these apps; the public key comes on standard input
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  paas ssh-keys:add alice < alice.pub\n  ssh paas@HOST ssh-keys:add ci --app blog < ci.pub"
)]
pub(crate) struct KeysAdd {
    /// Whose it is
    name: String,
    /// Only for this app; may be given more than once
    #[arg(long = "app", short = 'a', value_name = "APP")]
    apps: Vec<String>,
    /// A key that is there already is no error
    #[arg(long)]
    if_absent: bool,
}

impl KeysAdd {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let name = KeyName::new(self.name).map_err(|error| CliError::usage(error.to_string()))?;
        let apps = self.apps.into_iter().map(AppName::new).collect::<Result<Vec<_>, _>>();
        let apps = apps.map_err(|error| CliError::usage(error.to_string()))?;
        let key =
            AddKey { name, public_key: read_input()?, apps: if apps.is_empty() { None } else { Some(apps) } };
        match context.client.add_key(&key).await {
            Ok(key) => {
                let rights = if key.apps.is_some() { "for its apps" } else { "as an admin" };
                output::line(&format!("Added {} {rights} ({})", key.name, key.fingerprint))
            }
            Err(ClientError::Refused(refusal)) if self.if_absent && refusal.kind == ErrorKind::Conflict => {
                output::line("The key is there already.")
            }
            Err(error) => Err(error.into()),
        }
    }
}
