use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use paas_docker::{Engine, EngineError, LogLine, LogsRequest};
use paas_store::ContainerRow;

use crate::{
    server::{failure::Failure, view::process_name},
    wire::LogEntry,
};

/// The time of the last line known of each container, by its name.
pub(super) type Seen = HashMap<String, String>;

/// The last `count` lines of all these containers together, in the order they were written.
pub(super) async fn tail(
    engine: &dyn Engine,
    rows: &[ContainerRow],
    count: u32,
) -> Result<(Vec<LogEntry>, Seen), Failure> {
    let (mut entries, mut seen) = (Vec::new(), Seen::new());
    if count == 0 {
        return Ok((entries, seen));
    }
    for row in rows {
        let lines = read(engine, &row.name, count).await?;
        if let Some(last) = lines.last().and_then(|line| line.timestamp.clone()) {
            seen.insert(row.name.clone(), last);
        }
        let process = process_name(row);
        entries.extend(lines.into_iter().map(|line| entry(&process, line)));
        // Stable, and RFC 3339 in UTC sorts as text. Cut after each, so that many containers do not need much memory.
        entries.sort_by(|a: &LogEntry, b| a.timestamp.cmp(&b.timestamp));
        let surplus = entries.len().saturating_sub(count as usize);
        entries.drain(..surplus);
    }
    Ok((entries, seen))
}

async fn read(engine: &dyn Engine, container: &str, count: u32) -> Result<Vec<LogLine>, EngineError> {
    let request = LogsRequest { follow: false, tail: Some(count), timestamps: true };
    match engine.logs(container, request).await {
        Ok(lines) => lines.try_collect().await,
        // Planned and not made yet, or just removed.
        Err(EngineError::NotFound(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

pub(super) fn entry(process: &str, line: LogLine) -> LogEntry {
    LogEntry { process: process.to_owned(), timestamp: line.timestamp, stderr: line.stderr, text: line.text }
}
