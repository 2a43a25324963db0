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

/// Show visitors a page of yours where the proxy itself answers with an error
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas pages:set blog 502 public/502.html\n  ssh paas@HOST pages:set blog 502 - < public/502.html\nOne HTML file of at most 64 KiB. Answers of the app itself are never replaced."
)]
pub(crate) struct PagesSet {
    #[command(flatten)]
    app: AppArg,
    /// The app, a status (404, 413, 502, 503, 504, …), and a file or - for standard input
    #[arg(value_name = "[APP] STATUS FILE", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    file: PageFile,
}

impl PagesSet {
    pub(super) fn local_input(&self) -> LocalInput {
        self.file.local_input(self.words.last())
    }

    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(2))?;
        let [page, file] = words.as_slice() else {
            return Err(CliError::usage("say the status and the file"));
        };
        let page = Page::new(page).map_err(|error| CliError::usage(error.to_string()))?;
        let html = self.file.read(context, file)?;
        context.client.set_page(&app, &SetPage { page, html }).await?;
        output::line(&format!("Visitors of {app} see this page for {page}."))
    }
}
