use clap::Args;

use crate::{
    commands::{OneApp, source},
    context::Context,
    error::CliError,
    output,
};

/// List the pages that visitors see in place of our own
#[derive(Debug, Args)]
pub(crate) struct Pages {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Pages {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let pages = context.client.pages(&app).await?;
        if self.json {
            return output::json(&pages);
        }
        let rows: Vec<_> = pages
            .iter()
            .map(|page| [page.page.to_string(), page.bytes.to_string(), source(page.source).to_owned()])
            .collect();
        output::print_table(["PAGE", "BYTES", "FROM"], &rows)
    }
}
