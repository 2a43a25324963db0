use clap::Args;
use paas_control::wire::SetPage;
use paas_domain::Page;

use super::page_file::PageFile;
use crate::{
    commands::{AppArg, Arity},
    context::{Context, LocalInput},
    error::CliError,
    output,
};

/// Give an app a maintenance page of its own
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas maintenance:page blog public/maintenance.html\n  ssh paas@HOST maintenance:page blog - < public/maintenance.html\nOne HTML file of at most 64 KiB. `paas pages:unset blog maintenance` takes it back."
)]
pub(crate) struct MaintenancePage {
    #[command(flatten)]
    app: AppArg,
    /// The app, and a file or - for standard input
    #[arg(value_name = "[APP] FILE", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    file: PageFile,
}

impl MaintenancePage {
    pub(super) fn local_input(&self) -> LocalInput {
        self.file.local_input(self.words.last())
    }

    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let html = self.file.read(context, &words.concat())?;
        context.client.set_page(&app, &SetPage { page: Page::Maintenance, html }).await?;
        output::line(&format!("Visitors of {app} see this page during maintenance."))
    }
}
