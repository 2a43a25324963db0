use std::io::Write as _;

use clap::Args;
use paas_domain::check_password;
use paas_proxy::PasswordHash;

use super::new_password;
use crate::{error::CliError, output};

/// Print the hash of a password, to be put under [auth] in paas.toml; asks no server
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas auth:hash                asks for the password\n  paas auth:hash < FILE         reads it from standard input\n  paas auth:hash --generate     makes one and shows it on standard error\nIn paas.toml:\n  [auth]\n  ann = \"pbkdf2-sha256$...\""
)]
pub(crate) struct AuthHash {
    /// Make a password and show it, once
    #[arg(long)]
    generate: bool,
}

impl AuthHash {
    pub(crate) fn run(self) -> Result<(), CliError> {
        let password = new_password::read(self.generate)?;
        check_password(&password).map_err(|error| {
            CliError::refused(error.to_string()).hint("`--generate` makes a good one and shows it once")
        })?;
        if self.generate {
            // Nobody could know it else; beside the hash, which may go to a file.
            writeln!(std::io::stderr(), "The password: {}", password.expose())?;
        }
        output::line(PasswordHash::new(password.expose()).as_str())
    }
}
