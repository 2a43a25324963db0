use axum::{Extension, extract::State, response::Response};
use futures_util::{StreamExt as _, stream};
use paas_domain::ProcessType;
use paas_store::{App, ContainerRow, Store};
use serde::Serialize;

use super::{access_log, log_follow, log_tail};
use crate::{
    server::{extract::Queried, failure::Failure, ndjson::ndjson, state},
    wire::{ErrorBody, LogEntry, LogsQuery},
};

/// Lines when nobody says how many.
const USUAL: u32 = 100;
/// They are sorted in memory.
const MOST: u32 = 10_000;

/// A line of the answer: output, or why no more comes.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Line {
    Entry(LogEntry),
    Failed(ErrorBody),
}

pub(crate) async fn show(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Queried(query): Queried<LogsQuery>,
) -> Result<Response, Failure> {
    let tail = query.tail.unwrap_or(USUAL);
    if tail > MOST {
        let all = if query.access {
            let folder = shared.control.access_logs.path();
            format!("the files in {} on the server have everything that is kept", folder.display())
        } else {
            "`docker logs` on the server shows everything that is kept".to_owned()
        };
        let many = format!("{tail} lines are more than the {MOST} that can be shown at once");
        return Err(Failure::refused(many).hint(all));
    }
    if query.access {
        return access_log::show(&shared, &app, tail, query.follow).await;
    }
    let (of, process) = (app.clone(), query.process.clone());
    let rows = shared.store(move |store| rows(store, &of, process.as_ref())).await?;
    // Subscribed before the containers are read, so that one started in between is not missed.
    let events = if query.follow { Some(shared.deployer().engine().events().await?) } else { None };
    let (entries, seen) = log_tail::tail(shared.deployer().engine().as_ref(), &rows, tail).await?;
    let entries = stream::iter(entries.into_iter().map(Line::Entry));
    let shutdown = shared.shutdown.clone();
    Ok(match events {
        None => ndjson(entries, &shutdown),
        Some(events) => {
            let follow = log_follow::Follow::new(shared.clone(), &app, query.process, events, seen);
            ndjson(entries.chain(follow.lines(rows)), &shutdown)
        }
    })
}

/// The app's containers, or those of one process type it has.
pub(super) fn rows(
    store: &Store,
    app: &App,
    process: Option<&ProcessType>,
) -> Result<Vec<ContainerRow>, Failure> {
    let mut rows = store.containers(app.id)?;
    let Some(process) = process else { return Ok(rows) };
    rows.retain(|row| row.process_type.as_ref() == Some(process));
    let release = app.release.map(|release| store.get_release(release)).transpose()?;
    if let Some(known) = release.map(|release| release.spec.processes)
        && rows.is_empty()
        && !known.contains_key(process)
    {
        let known: Vec<_> = known.keys().map(ProcessType::as_str).collect();
        return Err(Failure::not_found(format!("{} has no process type {process}", app.name))
            .hint(format!("it has {}", known.join(", "))));
    }
    Ok(rows)
}
