//! The fake engine's container output and events.

use futures_util::{StreamExt, future, stream};
use tokio::sync::watch;
use tokio_stream::wrappers::BroadcastStream;

use super::{FakeEngine, containers::required, state};
use crate::{
    engine::{ContainerState, EventStream, LogLine, LogStream, LogsRequest},
    error::EngineError,
    failure::protocol,
};

/// Somebody reading a container's output.
struct Reader {
    engine: FakeEngine,
    name: String,
    id: u64,
    next: usize,
    request: LogsRequest,
    changed: watch::Receiver<u64>,
}

/// What is at a reader's place in a log.
enum Place {
    Line(LogLine),
    /// A line may still come.
    Wait,
    End,
}

impl FakeEngine {
    pub(super) fn read_logs(&self, name: &str, request: LogsRequest) -> Result<LogStream, EngineError> {
        let changed = self.shared.changed.subscribe();
        let state = self.state();
        let container = required(&state, name, self.instance_id())?;
        let there = container.log.len();
        let tail = request.tail.map_or(there, |tail| usize::try_from(tail).unwrap_or(usize::MAX).min(there));
        let reader = Reader {
            engine: self.clone(),
            name: name.to_owned(),
            id: container.id,
            next: there - tail,
            request,
            changed,
        };
        Ok(Box::pin(stream::unfold(reader, |mut reader| async move {
            let line = reader.next().await?;
            Some((Ok(line), reader))
        })))
    }

    pub(super) fn watch_events(&self) -> EventStream {
        let events = BroadcastStream::new(self.shared.events.subscribe());
        let instance = self.instance_id().to_owned();
        Box::pin(events.filter_map(move |event| {
            future::ready(match event {
                Ok(event) => state::is_ours(&event.labels, &instance).then_some(Ok(event)),
                Err(missed) => Some(Err(protocol("tell its events", missed))),
            })
        }))
    }
}

impl Reader {
    /// The next line; `None` when the container has ended or nobody wants to wait.
    async fn next(&mut self) -> Option<LogLine> {
        loop {
            match self.look() {
                Place::Line(line) => return Some(line),
                Place::End => return None,
                Place::Wait => self.changed.changed().await.ok()?,
            }
        }
    }

    fn look(&mut self) -> Place {
        let state = self.engine.state();
        let found = state.containers.get(&self.name).filter(|container| container.id == self.id);
        let Some(container) = found else { return Place::End };
        if let Some(line) = container.log.get(self.next) {
            self.next += 1;
            let timestamp = line.timestamp.clone().filter(|_| self.request.timestamps);
            return Place::Line(LogLine { timestamp, ..line.clone() });
        }
        let may_come = self.request.follow && container.state == ContainerState::Running;
        if may_come { Place::Wait } else { Place::End }
    }
}
