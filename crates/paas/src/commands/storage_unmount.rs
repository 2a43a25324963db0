use clap::Args;
use paas_control::wire::UnmountVolume;
use paas_domain::VolumeName;

use super::{AppArg, Arity, mount::volume_and_path};
use crate::{context::Context, error::CliError, output};

/// Take a volume out of an app; the data stays
#[derive(Debug, Args)]
pub(crate) struct StorageUnmount {
    #[command(flatten)]
    app: AppArg,
    /// The app, and the volume, with the path inside the app when it is mounted more than once
    #[arg(value_name = "[APP] VOLUME[:/PATH]", required = true)]
    words: Vec<String>,
    /// Only store it; it takes effect at the next deploy
    #[arg(long)]
    no_restart: bool,
}

impl StorageUnmount {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let what = words.concat();
        // A volume alone: wherever it is mounted.
        let (volume, path) = if what.contains(':') {
            let (volume, path) = volume_and_path(&what)?;
            (volume, Some(path))
        } else {
            (VolumeName::new(what).map_err(|error| CliError::usage(error.to_string()))?, None)
        };
        let change = UnmountVolume { volume: Some(volume), path, restart: !self.no_restart };
        output::print_change(context.client.unmount(&app, &change).await?).await
    }
}
