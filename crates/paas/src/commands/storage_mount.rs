use clap::Args;
use paas_control::wire::MountVolume;

use super::{AppArg, Arity, mount::volume_and_path};
use crate::{context::Context, error::CliError, output};

/// Mount a volume into an app
#[derive(Debug, Args)]
pub(crate) struct StorageMount {
    #[command(flatten)]
    app: AppArg,
    /// The app, and the volume with the path inside the app, for example uploads:/data
    #[arg(value_name = "[APP] VOLUME:/PATH", required = true)]
    words: Vec<String>,
    /// Only store it; it takes effect at the next deploy
    #[arg(long)]
    no_restart: bool,
}

impl StorageMount {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let (volume, path) = volume_and_path(&words.concat())?;
        let change = MountVolume { volume, path, restart: !self.no_restart };
        output::print_change(context.client.mount(&app, &change).await?).await
    }
}
