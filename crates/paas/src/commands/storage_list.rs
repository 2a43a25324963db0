use clap::Args;

use crate::{context::Context, error::CliError, output};

/// List the volumes and who mounts them
#[derive(Debug, Args)]
pub(crate) struct StorageList {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl StorageList {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let volumes = context.client.volumes().await?;
        if self.json {
            return output::json(&volumes);
        }
        let rows: Vec<[String; 3]> = volumes
            .into_iter()
            .map(|volume| {
                let mounts: Vec<String> =
                    volume.mounts.iter().map(|used| format!("{}:{}", used.app, used.path)).collect();
                [volume.name.to_string(), mounts.join(", "), output::time(volume.created_at)]
            })
            .collect();
        output::print_table(["VOLUME", "MOUNTED BY", "CREATED"], &rows)
    }
}
