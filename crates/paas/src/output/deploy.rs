use std::io::Write as _;

use futures_util::StreamExt as _;
use paas_control::{
    Change,
    wire::{Saved, TakesEffect},
};
use paas_domain::{DeployEvent, Outcome, ReleaseVersion, Share};

use super::{inert, line};
use crate::error::CliError;

/// Prints a deploy as a person at a terminal or behind `git push` reads it: `----->` steps, ` !` errors, the URL last.
pub(crate) struct DeployPrinter {
    /// After a reconnect the beginning comes again.
    printed: usize,
    seen: usize,
}

impl DeployPrinter {
    pub(crate) fn new() -> Self {
        Self { printed: 0, seen: 0 }
    }

    pub(crate) fn print(&mut self, event: &DeployEvent) -> Result<(), CliError> {
        self.seen += 1;
        if self.seen <= self.printed {
            return Ok(());
        }
        self.printed = self.seen;
        match event {
            DeployEvent::Step { text } => line(&format!("-----> {}", inert(text))),
            DeployEvent::Line { text } => line(&format!("       {}", inert(text))),
            DeployEvent::Error { text } => line(&format!(" !     {}", inert(text))),
            DeployEvent::Accepted { .. } | DeployEvent::Ended { .. } => Ok(()),
        }
    }

    /// A word of our own in between. What follows may be another life's account of the same deploy, so nothing of it is skipped.
    pub(crate) fn note(&mut self, text: &str) -> Result<(), CliError> {
        (self.printed, self.seen) = (0, 0);
        line(&format!(" !     {text}"))
    }
}

/// Prints how a deploy ended: the release, and the URL as the last line. A candidate says who gets it.
pub(crate) fn print_end(
    outcome: Outcome,
    release: Option<ReleaseVersion>,
    url: Option<&str>,
    share: Option<Share>,
) -> Result<(), CliError> {
    if outcome == Outcome::Done {
        let release = release.map_or_else(String::new, |release| format!(" {release}"));
        let who =
            share.map_or_else(String::new, |share| format!(" to {share} of the visitors, as a candidate"));
        line(&format!("=====> Deployed{release}{who}"))?;
        if let Some(url) = url {
            line(&format!("       {url}"))?;
        }
    }
    Ok(std::io::stdout().flush()?)
}

/// Prints when a stored change takes effect.
pub(crate) fn print_saved(saved: &Saved) -> Result<(), CliError> {
    if !saved.changed {
        return line("Nothing changed.");
    }
    line(match saved.takes_effect {
        TakesEffect::Now => "Saved.",
        TakesEffect::NextStart => "Saved. It takes effect when the app is started.",
        TakesEffect::NextRestart => "Saved. It takes effect at the next deploy or `paas ps:restart`.",
        TakesEffect::NextPush => "Saved. It takes effect at the next push.",
    })
}

/// Prints what came of a change: the deploy it began, or when it takes effect.
pub(crate) async fn print_change(change: Change) -> Result<(), CliError> {
    let mut events = match change {
        Change::Deploying(events) => events,
        Change::Saved(saved) => return print_saved(&saved),
    };
    let mut printer = DeployPrinter::new();
    while let Some(event) = events.next().await {
        match event? {
            DeployEvent::Ended { outcome, release, url, share } => {
                print_end(outcome, release, url.as_deref(), share)?;
                return if outcome == Outcome::Done { Ok(()) } else { Err(CliError::silent()) };
            }
            event => printer.print(&event)?,
        }
    }
    Err(CliError::unreachable("the server went away in the middle; `paas releases` shows what became of it"))
}
