use std::collections::{HashMap, VecDeque};

use futures_util::{
    Stream, StreamExt as _,
    stream::{self, BoxStream, SelectAll},
};
use paas_docker::{EngineError, EngineEvent, EventStream, LogLine, LogsRequest};
use paas_domain::ProcessType;
use paas_store::{App, ContainerRow};

use super::{
    log_tail::{Seen, entry},
    logs::Line,
};
use crate::{
    server::{failure::Failure, state, view::process_name},
    wire::ErrorBody,
};

/// How far a container that was started again is read back, for what it wrote before we listened.
const BACK: u32 = 1000;

/// The output of an app as it comes, also of the containers that later deploys and restarts start.
pub(super) struct Follow {
    shared: state::State,
    app: App,
    process: Option<ProcessType>,
    events: EventStream,
    outputs: SelectAll<BoxStream<'static, (String, Output)>>,
    attached: HashMap<String, Attached>,
    seen: Seen,
    ready: VecDeque<Line>,
    over: bool,
}

struct Attached {
    process: String,
    /// It was started again while its last output was still being read.
    again: bool,
}

enum Output {
    Line(LogLine),
    Failed(EngineError),
    End,
}

impl Follow {
    pub(super) fn new(
        shared: state::State,
        app: &App,
        process: Option<ProcessType>,
        events: EventStream,
        seen: Seen,
    ) -> Self {
        Self {
            shared,
            app: app.clone(),
            process,
            events,
            outputs: SelectAll::new(),
            attached: HashMap::new(),
            seen,
            ready: VecDeque::new(),
            over: false,
        }
    }

    /// Goes on from the lines seen of these containers.
    pub(super) fn lines(mut self, rows: Vec<ContainerRow>) -> impl Stream<Item = Line> + Send + 'static {
        stream::once(async move {
            for row in rows {
                let back = if self.seen.contains_key(&row.name) { BACK } else { 0 };
                self.attach(&row.name, process_name(&row), Some(back)).await;
            }
            stream::unfold(self, |mut follow| async move { Some((follow.next().await?, follow)) })
        })
        .flatten()
    }

    async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.over {
                return None;
            }
            tokio::select! {
                Some((container, output)) = self.outputs.next() => self.take(container, output).await,
                event = self.events.next() => match event {
                    Some(Ok(event)) if event.action == "start" => self.started(event).await,
                    Some(Ok(_)) => {}
                    Some(Err(error)) => self.fail(error.into()),
                    None => self.fail(Failure::unavailable("the engine went away").hint("try again in a moment")),
                },
            }
        }
    }

    async fn take(&mut self, container: String, output: Output) {
        match output {
            Output::Line(line) => self.tell(&container, line),
            Output::Failed(error @ EngineError::Unavailable(_)) => self.fail(error.into()),
            // Of one container only: it was removed while it was read, and `End` follows.
            Output::Failed(_) => {}
            Output::End => {
                if let Some(gone) = self.attached.remove(&container).filter(|gone| gone.again) {
                    self.attach(&container, gone.process, Some(BACK)).await;
                }
            }
        }
    }

    /// Passes a line on unless the caller has it already.
    fn tell(&mut self, container: &str, line: LogLine) {
        let Some(attached) = self.attached.get(container) else { return };
        if let Some(time) = &line.timestamp {
            if self.seen.get(container).is_some_and(|last| time <= last) {
                return;
            }
            self.seen.insert(container.to_owned(), time.clone());
        }
        self.ready.push_back(Line::Entry(entry(&attached.process, line)));
    }

    async fn started(&mut self, event: EngineEvent) {
        if let Some(attached) = self.attached.get_mut(&event.container) {
            attached.again = true;
            return;
        }
        let (app, process) = (self.app.clone(), self.process.clone());
        let rows = self.shared.store(move |store| {
            let mut rows = store.containers(app.id)?;
            rows.retain(|row| process.is_none() || row.process_type == process);
            Ok::<_, Failure>(rows)
        });
        match rows.await {
            Ok(rows) => {
                if let Some(row) = rows.iter().find(|row| row.name == event.container) {
                    let back = self.seen.contains_key(&row.name).then_some(BACK);
                    self.attach(&row.name, process_name(row), back).await;
                }
            }
            Err(failure) => self.fail(failure),
        }
    }

    /// Reads a container's output from `back` lines before its end, or from the beginning.
    async fn attach(&mut self, container: &str, process: String, back: Option<u32>) {
        let request = LogsRequest { follow: true, tail: back, timestamps: true };
        match self.shared.deployer().engine().logs(container, request).await {
            Ok(lines) => {
                let name = container.to_owned();
                self.attached.insert(name.clone(), Attached { process, again: false });
                let outputs = lines.map(|line| line.map_or_else(Output::Failed, Output::Line));
                let outputs = outputs.chain(stream::once(std::future::ready(Output::End)));
                self.outputs.push(outputs.map(move |output| (name.clone(), output)).boxed());
            }
            // Planned and not made yet, or just removed: its start will be told.
            Err(EngineError::NotFound(_)) => {}
            Err(error) => self.fail(error.into()),
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.ready.push_back(Line::Failed(ErrorBody { error: failure.error }));
        self.over = true;
    }
}
