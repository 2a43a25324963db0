use clap::Args;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Stop an app; requests are answered 503 until it is started or pushed
#[derive(Debug, Args)]
pub(crate) struct PsStop {
    #[command(flatten)]
    app: OneApp,
}

impl PsStop {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        context.client.stop(&app).await?;
        output::line(&format!("Stopped {app}. `paas ps:start {app}` starts it again."))
    }
}
