use std::collections::BTreeMap;

use clap::Args;
use paas_control::wire::{CanaryChange, CanaryState, SettingsChange};
use paas_domain::{AppName, Share};

use super::{AppArg, Arity};
use crate::{context::Context, error::CliError, output};

/// Give the next release, and the candidate that runs, to a share of the visitors
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  paas releases:canary blog 10    the next push is a candidate that 10 % of the visitors get
  paas releases:canary blog 50    the candidate that runs is given to 50 % at once
  paas releases:canary blog off   later pushes serve everybody again; a candidate that runs stays
  paas releases:canary blog ''    later pushes are as `canary` under [deploy] in paas.toml says")]
pub(crate) struct ReleasesCanary {
    #[command(flatten)]
    app: AppArg,
    /// A percentage from 0 to 100, or `off`
    #[arg(value_name = "[APP] PERCENT", required = true)]
    words: Vec<String>,
}

impl ReleasesCanary {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let (app, words) = self.app.split(self.words, Arity::Exactly(1))?;
        if words.first().is_some_and(String::is_empty) {
            let change = SettingsChange { set: BTreeMap::from([("canary_share".to_owned(), None)]) };
            context.client.change_settings(&app, &change).await?;
            return output::line("The next push is as paas.toml says.");
        }
        let share = words.first().map(|word| share(word)).transpose()?.flatten();
        let state = context.client.set_canary(&app, CanaryChange { share }).await?;
        told(&app, state).iter().try_for_each(|line| output::line(line))
    }
}

/// Also that the share stays: paas.toml may say another for later pushes.
fn told(app: &AppName, CanaryState { share, candidate }: CanaryState) -> Vec<String> {
    let Some(share) = share else { return vec!["The next push serves everybody.".to_owned()] };
    match candidate {
        Some(candidate) => vec![
            format!("{share} of the visitors get {candidate}."),
            format!(
                "`paas releases:promote {app}` gives it to all of them, `paas releases:abort {app}` to none."
            ),
            format!(
                "Later pushes start with {share} too; `paas releases:canary {app} ''` leaves that to paas.toml."
            ),
        ],
        None => vec![format!("{share} of the visitors will get the next push or config change.")],
    }
}

fn share(word: &str) -> Result<Option<Share>, CliError> {
    if word == "off" {
        return Ok(None);
    }
    word.parse().map(Some).map_err(|error: paas_domain::ShareError| {
        CliError::usage(format!("\"{}\" cannot be used: {error}", output::inert(word)))
            .hint("write it like `paas releases:canary blog 10`, or `off`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_share_of_a_candidate_is_told_to_stay_for_later_pushes() {
        let app = AppName::new("blog").unwrap();
        let state =
            CanaryState { share: Share::new(50).ok(), candidate: Some(paas_domain::ReleaseVersion(2)) };
        let told = told(&app, state);
        assert_eq!(told[0], "50 % of the visitors get v2.");
        assert_eq!(
            told[2],
            "Later pushes start with 50 % too; `paas releases:canary blog ''` leaves that to paas.toml."
        );
    }

    #[test]
    fn a_share_is_a_percentage_or_off() {
        assert_eq!(share("off").ok(), Some(None));
        assert_eq!(share("10%").ok().flatten().map(Share::percent), Some(10));
        assert!(share("all").is_err());
    }
}
