use std::{collections::BTreeMap, io::Read as _};

use clap::Args;
use paas_control::wire::ConfigChange;
use paas_domain::{ConfigKey, Secret};

use super::{AppArg, Arity};
use crate::{context::Context, dotenv, error::CliError, output};

/// Larger input than any config is a mistake; the server has its own limit for one value.
const LARGEST_INPUT: u64 = 2 << 20;

/// Set config vars and deploy the app with them
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas config:set blog RAILS_ENV=production TOKEN=s3cret\n  paas config:set blog TLS_KEY < key.pem      a bare KEY takes its value from standard input, whole,\n                                             without one newline at its end\n  paas config:set blog < vars.env             without words, standard input is a list of KEY=value\nA value in a command line can be seen in your shell's history and in `ps`; standard input cannot."
)]
pub(crate) struct ConfigSet {
    #[command(flatten)]
    app: AppArg,
    /// The app, and what to set
    #[arg(value_name = "[APP] KEY=VALUE…")]
    words: Vec<String>,
    /// Only store them; they take effect at the next deploy
    #[arg(long)]
    no_restart: bool,
}

impl ConfigSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Any)?;
        let set = match words.as_slice() {
            [] => dotenv::parse(&read_input()?).map_err(|error| CliError::usage(error.to_string()))?,
            [key] if !key.contains('=') => BTreeMap::from([(config_key(key)?, whole_input()?)]),
            words => words.iter().map(|word| pair(word)).collect::<Result<_, _>>()?,
        };
        let change = ConfigChange { set, unset: Vec::new(), restart: !self.no_restart };
        output::print_change(context.client.change_config(&app, &change).await?).await
    }
}

fn pair(word: &str) -> Result<(ConfigKey, Secret), CliError> {
    match word.split_once('=') {
        Some((key, value)) => Ok((config_key(key)?, Secret::new(value))),
        // The word may be a value somebody forgot the key of: it is not repeated.
        None => Err(CliError::usage(
            "every word after the app must be KEY=VALUE; one bare KEY alone reads standard input",
        )),
    }
}

pub(super) fn config_key(text: &str) -> Result<ConfigKey, CliError> {
    ConfigKey::new(text).map_err(|error| CliError::usage(error.to_string()))
}

/// Standard input as one value. The newline that `echo` and editors put at the end is not part of it.
fn whole_input() -> Result<Secret, CliError> {
    let text = read_input()?;
    Ok(Secret::new(text.strip_suffix('\n').unwrap_or(&text)))
}

pub(super) fn read_input() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(LARGEST_INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_INPUT {
        return Err(CliError::refused("standard input is larger than 2 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| {
        CliError::refused("standard input is not UTF-8 text").hint("encode it first, for example with base64")
    })
}
