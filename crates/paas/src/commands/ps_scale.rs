use std::collections::BTreeMap;

use clap::Args;
use paas_control::wire::ScaleChange;
use paas_domain::ProcessType;

use super::{AppArg, Arity};
use crate::{context::Context, error::CliError, output};

/// Show or set how many containers of each process type run
#[derive(Debug, Args)]
pub(crate) struct PsScale {
    #[command(flatten)]
    app: AppArg,
    /// The app, and what to run, for example web=2 worker=1
    #[arg(value_name = "[APP] TYPE=COUNT…")]
    words: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl PsScale {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Any)?;
        if words.is_empty() {
            let scale = context.client.processes(&app).await?.scale;
            if self.json {
                return output::json(&scale);
            }
            let rows: Vec<[String; 2]> =
                scale.iter().map(|(name, count)| [name.to_string(), count.to_string()]).collect();
            return output::print_table(["TYPE", "COUNT"], &rows);
        }
        let scale = words.iter().map(|word| count(word)).collect::<Result<BTreeMap<_, _>, _>>()?;
        output::print_change(context.client.scale(&app, &ScaleChange(scale)).await?).await
    }
}

fn count(word: &str) -> Result<(ProcessType, u16), CliError> {
    let wrong =
        || CliError::usage(format!("\"{}\" is not TYPE=COUNT, for example web=2", word.escape_debug()));
    let (name, count) = word.split_once('=').ok_or_else(wrong)?;
    let name = ProcessType::new(name).map_err(|error| CliError::usage(error.to_string()))?;
    Ok((name, count.parse().map_err(|_| wrong())?))
}
