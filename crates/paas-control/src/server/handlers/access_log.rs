use std::{io, path::Path};

use axum::response::Response;
use futures_util::{Stream, StreamExt as _, stream};
use paas_deploy::service_name;
use paas_store::App;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::{io::AsyncReadExt as _, net::unix::pipe};

use super::logs::Line;
use crate::{
    server::{
        access_log::{OpenDirectory, Reader, Tail, tail},
        failure::Failure,
        ndjson::ndjson,
        state::{State, blocking},
    },
    wire::{ErrorBody, LogEntry},
};

/// What stands before each line where others have a process.
const PROCESS: &str = "access";

/// Room for at least one note of the kernel, however long the name in it (inotify(7)).
const NOTES: usize = 4096;

/// The last lines of the app's access log and, if it is to be followed, those that come.
pub(super) async fn show(shared: &State, app: &App, count: u32, follow: bool) -> Result<Response, Failure> {
    let (logs, service) = (shared.control.access_logs.clone(), service_name(app.id));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let named = service.clone();
    let path = logs.path();
    // Watched before it is read, so that no line in between is missed.
    let watch = if follow { Some(Watch::new(&path).map_err(|error| unreadable(&error))?) } else { None };
    let found = blocking(move || {
        let directory = logs.open()?;
        let found = tail(&directory, &named, count)?;
        Ok::<_, Unreadable>((directory, found))
    });
    let (directory, found) = found.await?;
    let (lines, reader) = match (found, &watch) {
        (Some(Tail { lines, reader }), _) => (lines, reader),
        (None, Some(_)) => (Vec::new(), Reader::default()),
        (None, None) => return Err(no_log(app)),
    };
    let lines = stream::iter(lines.into_iter().map(entry));
    Ok(match watch {
        None => ndjson(lines, &shared.shutdown),
        Some(watch) => {
            let follow = Follow { watch, source: Some((directory, reader)), service };
            ndjson(lines.chain(follow.lines()), &shared.shutdown)
        }
    })
}

fn no_log(app: &App) -> Failure {
    Failure::not_found(format!("{} has no access log", app.name))
        .hint(format!(
            "it is off unless wanted: `paas access-log:set {} --format json`, or `access_log = \"json\"` under `[http]` in its paas.toml; with it on, \
             it begins with the next request",
            app.name
        ))
}

/// Why the files could not be read.
struct Unreadable(io::Error);

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<Unreadable> for Failure {
    fn from(Unreadable(error): Unreadable) -> Self {
        unreadable(&error)
    }
}

fn unreadable(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::unavailable("the proxy has made no directory for access logs yet")
            .hint("is it running? `systemctl status paas-proxy`");
    }
    Failure::internal("the access log could not be read", error)
}

fn entry(text: String) -> Line {
    Line::Entry(LogEntry { process: PROCESS.to_owned(), timestamp: None, stderr: false, text })
}

/// Tells when something in the directory changed. The kernel's notes are read as from a pipe; what they say does not matter.
struct Watch(pipe::Receiver);

impl Watch {
    fn new(directory: &Path) -> io::Result<Self> {
        let notes = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        inotify::add_watch(&notes, directory, flags)?;
        Ok(Self(pipe::Receiver::from_file_unchecked(notes.into())?))
    }

    /// Returns when something changed since it last returned.
    async fn changed(&mut self) -> io::Result<()> {
        self.0.read(&mut [0; NOTES]).await.map(drop)
    }
}

/// An access log as it grows.
struct Follow {
    watch: Watch,
    /// Not there after a failure.
    source: Option<(OpenDirectory, Reader)>,
    service: String,
}

impl Follow {
    fn lines(self) -> impl Stream<Item = Line> + Send + 'static {
        let batches = stream::unfold(self, |mut follow| async move {
            let batch = follow.next().await?;
            Some((stream::iter(batch), follow))
        });
        batches.flatten()
    }

    async fn next(&mut self) -> Option<Vec<Line>> {
        loop {
            let (directory, mut reader) = self.source.take()?;
            let service = self.service.clone();
            let read = blocking(move || {
                let lines = reader.next(&directory, &service)?;
                Ok::<_, Unreadable>((lines, directory, reader))
            });
            match read.await {
                Ok((lines, directory, reader)) => {
                    self.source = Some((directory, reader));
                    if !lines.is_empty() {
                        return Some(lines.into_iter().map(entry).collect());
                    }
                }
                Err(failure) => return Some(vec![failed(failure)]),
            }
            if let Err(error) = self.watch.changed().await {
                self.source = None;
                return Some(vec![failed(unreadable(&error))]);
            }
        }
    }
}

fn failed(failure: Failure) -> Line {
    Line::Failed(ErrorBody { error: failure.error })
}
