use paas_control::wire::SettingsChange;
use paas_domain::AppName;

use crate::{context::Context, error::CliError, output};

/// Stores the settings that were given; an empty text takes one back.
pub(super) async fn change_settings<const N: usize>(
    context: &Context,
    app: &AppName,
    settings: [(&str, Option<String>); N],
) -> Result<(), CliError> {
    let given = settings.into_iter().filter_map(|(name, value)| {
        value.map(|value| (name.to_owned(), if value.is_empty() { None } else { Some(value) }))
    });
    let change = SettingsChange { set: given.collect() };
    if change.set.is_empty() {
        return Err(CliError::usage("say what to set; see --help")
            .hint(format!("`paas apps:info {app}` shows what is set")));
    }
    output::print_saved(&context.client.change_settings(app, &change).await?)
}
