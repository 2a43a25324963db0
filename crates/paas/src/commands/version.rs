use clap::Args;

use crate::{context::Context, error::CliError, output};

/// Print the version
#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Version {
    #[expect(clippy::unused_async, reason = "every command runs the same way")]
    pub(crate) async fn run(self, _context: &Context) -> Result<(), CliError> {
        let version = env!("CARGO_PKG_VERSION");
        if self.json {
            output::json(&serde_json::json!({ "version": version }))
        } else {
            output::line(&format!("paas {version}"))
        }
    }
}
