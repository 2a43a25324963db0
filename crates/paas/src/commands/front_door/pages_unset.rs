use clap::Args;
use paas_domain::Page;

use crate::{
    commands::{AppArg, Arity},
    context::Context,
    error::CliError,
    output,
};

/// Take a page of yours back; visitors then see the one of paas.toml, or our own
#[derive(Debug, Args)]
pub(crate) struct PagesUnset {
    #[command(flatten)]
    app: AppArg,
    /// The app, and a status or the word maintenance
    #[arg(value_name = "[APP] PAGE", required = true)]
    words: Vec<String>,
}

impl PagesUnset {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        let page = Page::new(&words.concat()).map_err(|error| CliError::usage(error.to_string()))?;
        context.client.unset_page(&app, page).await?;
        output::line(&format!("The page for {page} is taken back."))
    }
}
