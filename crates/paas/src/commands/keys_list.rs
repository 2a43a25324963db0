use clap::Args;

use crate::{context::Context, error::CliError, output};

/// List the ssh keys that may talk to this server
#[derive(Debug, Args)]
pub(crate) struct KeysList {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl KeysList {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let keys = context.client.keys().await?;
        if self.json {
            return output::json(&keys);
        }
        let rows: Vec<[String; 4]> = keys
            .into_iter()
            .map(|key| {
                let apps =
                    key.apps.map(|apps| apps.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
                [
                    key.name.to_string(),
                    apps.unwrap_or_else(|| "admin".to_owned()),
                    key.fingerprint,
                    output::time(key.created_at),
                ]
            })
            .collect();
        output::print_table(["NAME", "ACCESS", "FINGERPRINT", "ADDED"], &rows)
    }
}
