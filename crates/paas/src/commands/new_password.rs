//! A password that somebody gives to a user.

use std::io::IsTerminal as _;

use paas_domain::Secret;
use rand::distr::{Alphanumeric, SampleString as _};

use super::config_set::read_input;
use crate::{error::CliError, password_prompt};

/// Some 140 bits.
const GENERATED: usize = 24;

/// Makes one, asks for it where there is a terminal, or reads the line of standard input.
pub(super) fn read(generate: bool) -> Result<Secret, CliError> {
    if generate {
        return Ok(Secret::new(Alphanumeric.sample_string(&mut rand::rng(), GENERATED)));
    }
    if std::io::stdin().is_terminal() {
        return password_prompt::ask();
    }
    let text = read_input()?;
    Ok(Secret::new(text.strip_suffix('\n').map_or(text.as_str(), |line| line.trim_end_matches('\r'))))
}
