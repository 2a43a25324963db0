use clap::Args;

use crate::{error::CliError, output};

/// Nothing to do: every hostname gets its certificate by itself
#[derive(Debug, Args)]
pub(crate) struct LetsEncrypt {
    /// Whatever other tools want here
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl LetsEncrypt {
    pub(crate) fn run(self) -> Result<(), CliError> {
        drop(self.words);
        output::line(
            "There is nothing to switch on: every hostname gets a certificate by itself and renews it. \
             `paas domains APP` shows how each stands.",
        )
    }
}
