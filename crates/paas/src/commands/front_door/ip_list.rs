//! What the two lists of ranges have in common.

use paas_control::wire::{ChangeIpRange, IpList, IpRanges};
use paas_domain::{AppName, IpRange};

use crate::{
    commands::{AppArg, Arity, source},
    error::CliError,
    output,
};

/// The app, and the change that the words ask for.
pub(super) fn change(
    app: &AppArg,
    words: Vec<String>,
    list: IpList,
) -> Result<(AppName, ChangeIpRange), CliError> {
    let (app, words) = app.split(words, Arity::Exactly(1))?;
    let range = IpRange::new(&words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
    Ok((app, ChangeIpRange { list, range }))
}

pub(super) fn print(list: &IpRanges, json: bool) -> Result<(), CliError> {
    if json {
        return output::json(list);
    }
    let row = |range: &IpRange| [range.to_string(), source(list.source).to_owned()];
    output::print_table(["RANGE", "FROM"], &list.ranges.iter().map(row).collect::<Vec<_>>())
}
