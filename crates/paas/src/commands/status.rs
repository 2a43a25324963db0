use clap::Args;
use paas_control::wire::PartState;

use crate::{context::Context, error::CliError, output};

/// Say whether control, the proxy and the Docker Engine answer
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let status = context.client.status().await?;
        if self.json {
            output::json(&status)?;
        } else {
            output::line(&format!("control  ok, version {}, {} apps", status.version, status.apps))?;
            output::line(&format!("proxy    {}", part(&status.proxy)))?;
            output::line(&format!("docker   {}", part(&status.engine)))?;
        }
        match (&status.proxy, &status.engine) {
            (PartState::Ok, PartState::Ok) => Ok(()),
            _ => Err(CliError::silent()),
        }
    }
}

fn part(state: &PartState) -> &str {
    match state {
        PartState::Ok => "ok",
        PartState::Error(why) => why,
    }
}
