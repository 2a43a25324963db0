use clap::Args;
use paas_control::wire::ReleaseState;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// List the releases of an app, newest first
#[derive(Debug, Args)]
pub(crate) struct Releases {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Releases {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let releases = context.client.releases(&app).await?;
        if self.json {
            return output::json(&releases);
        }
        let rows: Vec<[String; 5]> = releases
            .into_iter()
            .map(|release| {
                let share = release.share.map(|share| format!(", {share}")).unwrap_or_default();
                let version = match release.status {
                    ReleaseState::Candidate => format!("{} (candidate{share})", release.version),
                    ReleaseState::Aborted => format!("{} (aborted)", release.version),
                    ReleaseState::Active => format!("{} (current)", release.version),
                    ReleaseState::Previous => release.version.to_string(),
                    ReleaseState::Failed => format!("{} (failed)", release.version),
                    ReleaseState::Pending => format!("{} (deploying)", release.version),
                };
                let commit =
                    release.commit.as_ref().map_or_else(String::new, |commit| commit.short().to_owned());
                [
                    version,
                    commit,
                    output::inert(&release.description),
                    release.created_by,
                    output::time(release.created_at),
                ]
            })
            .collect();
        output::print_table(["RELEASE", "COMMIT", "DESCRIPTION", "BY", "CREATED"], &rows)
    }
}
