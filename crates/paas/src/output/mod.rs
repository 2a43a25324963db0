//! What the command line prints.

mod certificate;
mod deploy;
mod table;

use std::io::Write as _;

use serde::Serialize;

pub(crate) use self::{
    certificate::{are_or_is, certificate_cells, print_sentences},
    deploy::{DeployPrinter, print_change, print_end, print_saved},
    table::print_table,
};
use crate::error::CliError;

/// Prints one line to standard output.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// Prints a value as JSON, for scripts.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::ours(&error))?;
    line(&text)
}

/// Text of an app for a terminal: no escape sequence of it takes effect there.
pub(crate) fn inert(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// `2026-11-23 12:30:05`, in UTC.
pub(crate) fn time(at: time::OffsetDateTime) -> String {
    let (date, clock) = (at.date(), at.time());
    format!("{date} {:02}:{:02}:{:02}", clock.hour(), clock.minute(), clock.second())
}
