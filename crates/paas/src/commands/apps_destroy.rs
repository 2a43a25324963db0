use std::io::{self, BufRead as _, Read as _, Write as _};

use clap::Args;
use paas_domain::AppName;

use super::OneApp;
use crate::{context::Context, error::CliError, output};

/// Remove an app; its volumes stay unless --volumes
#[derive(Debug, Args)]
pub(crate) struct AppsDestroy {
    #[command(flatten)]
    app: OneApp,
    /// Remove its volumes and their data too, unless another app mounts them
    #[arg(long)]
    volumes: bool,
    /// Do not ask
    #[arg(long)]
    force: bool,
    /// The app's name again, instead of being asked for it
    #[arg(long, value_name = "APP")]
    confirm: Option<String>,
}

impl AppsDestroy {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        if !self.force {
            confirm(&app, self.confirm.as_deref(), self.volumes)?;
        }
        context.client.destroy_app(&app, self.volumes).await?;
        output::line(&if self.volumes {
            format!("Destroyed {app} with its volumes.")
        } else {
            format!("Destroyed {app}. Its volumes are kept: `paas storage:list` shows them.")
        })
    }
}

/// The name has to be given back: a slip of the hand destroys nothing.
fn confirm(app: &AppName, given: Option<&str>, volumes: bool) -> Result<(), CliError> {
    let typed = if let Some(name) = given {
        name.to_owned()
    } else {
        let with = if volumes { " and all data in its volumes" } else { "" };
        let mut stderr = io::stderr();
        write!(stderr, " !     This destroys {app}{with}. Type its name to go on: ")?;
        stderr.flush()?;
        let mut line = String::new();
        io::stdin().lock().take(1024).read_line(&mut line)?;
        line.trim().to_owned()
    };
    if typed == app.as_str() {
        return Ok(());
    }
    Err(CliError::refused(format!("the name does not match; {app} stays as it is"))
        .hint(format!("say it again with --confirm {app}, or --force")))
}
