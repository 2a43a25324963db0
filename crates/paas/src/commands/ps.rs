use clap::Args;
use paas_control::wire::{ProcessInfo, ProcessState};

use super::{OneApp, app_state};
use crate::{context::Context, error::CliError, output};

/// Show the processes of an app
#[derive(Debug, Args)]
pub(crate) struct Ps {
    #[command(flatten)]
    app: OneApp,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Ps {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let list = context.client.processes(&app).await?;
        if self.json {
            return output::json(&list);
        }
        output::line(&format!("{app} is {}", app_state(list.state)))?;
        let rows: Vec<[String; 4]> = list
            .processes
            .into_iter()
            .map(|process| {
                let state = process_state(&process);
                let release = if process.candidate {
                    format!("{} (candidate)", process.release)
                } else {
                    process.release.to_string()
                };
                [process.name, release, state, process.since.map(output::time).unwrap_or_default()]
            })
            .collect();
        output::print_table(["PROCESS", "RELEASE", "STATE", "SINCE"], &rows)
    }
}

fn process_state(process: &ProcessInfo) -> String {
    let state = match process.state {
        ProcessState::Starting => "starting",
        ProcessState::Running => "running",
        ProcessState::Restarting => "restarting",
        ProcessState::Exited => "exited",
        ProcessState::Missing => "missing",
    };
    match (process.out_of_memory, process.exit_code) {
        (true, _) => format!("{state} (out of memory)"),
        (false, Some(code)) => format!("{state} ({code})"),
        (false, None) => state.to_owned(),
    }
}
