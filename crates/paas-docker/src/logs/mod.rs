//! A container's output, line by line.

mod frames;
mod position;

use std::sync::{Arc, Mutex, PoisonError};

use bollard::{
    Docker,
    container::LogOutput,
    errors::Error,
    query_parameters::{LogsOptions, LogsOptionsBuilder},
};
use futures_util::{FutureExt, Stream, StreamExt, future, stream};

use self::{frames::Splitter, position::Position};
use crate::{
    client::DockerEngine,
    containers::look,
    engine::{LogStream, LogsRequest},
    error::EngineError,
    failure::{engine_error, status},
};

type Frame = Result<LogOutput, Error>;

/// The container's output; with `follow` until the container ends.
pub(crate) async fn read(
    engine: &DockerEngine,
    name: &str,
    request: LogsRequest,
) -> Result<LogStream, EngineError> {
    let container = look(engine, name).await?.required(name)?;
    let (docker, id) = (engine.docker()?.clone(), container.id()?.to_owned());
    let tail = request.tail.map_or_else(|| "all".to_owned(), |count| count.to_string());
    let frames = docker.logs(&id, Some(options(request.follow).tail(&tail).build()));
    if request.follow {
        Ok(lines(name, request, completed(docker.clone(), id, tail, frames)))
    } else {
        Ok(lines(name, request, frames))
    }
}

fn options(follow: bool) -> LogsOptionsBuilder {
    // The times are needed to find a place again; who does not want them does not get them.
    LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true).follow(follow)
}

fn lines(name: &str, request: LogsRequest, frames: impl Stream<Item = Frame> + Send + 'static) -> LogStream {
    let mut splitter = Splitter::new(request.timestamps);
    let name = name.to_owned();
    Box::pin(frames.map(Some).chain(stream::once(async { None })).flat_map(move |frame| {
        let lines = match frame {
            Some(Ok(frame)) => splitter.push(&frame).into_iter().map(Ok).collect(),
            Some(Err(error)) => vec![Err(engine_error(format!("show the output of {name}"), error))],
            None => splitter.finish().into_iter().map(Ok).collect::<Vec<_>>(),
        };
        stream::iter(lines)
    }))
}

/// A followed log and what it left out: engines (20.10 among them) close it when the container ends, often before its last lines. They are in the log
/// itself, so it is read once more from the last second on.
fn completed(
    docker: Docker,
    id: String,
    tail: String,
    frames: impl Stream<Item = Frame> + Send,
) -> impl Stream<Item = Frame> + Send {
    let position = Arc::new(Mutex::new(Position::default()));
    let counted = Arc::clone(&position);
    let frames = frames.inspect(move |frame| {
        let mut position = counted.lock().unwrap_or_else(PoisonError::into_inner);
        match frame {
            Ok(frame) => position.pass(frame.as_ref()),
            Err(_) => position.fail(),
        }
    });
    let rest = future::lazy(move |_| {
        let position = position.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match rest_options(&position, &tail) {
            Some((options, skip)) => docker.logs(&id, Some(options)).skip(skip).filter(is_there).boxed(),
            None => stream::empty().boxed(),
        }
    });
    frames.chain(rest.flatten_stream())
}

/// What to ask for after the end, and how many of the answer's frames are known. `None`: there is nothing to find out.
fn rest_options(position: &Position, tail: &str) -> Option<(LogsOptions, usize)> {
    if position.has_failed() {
        return None;
    }
    let options = options(false);
    match position.second() {
        Some(second) => Some((options.since(second).tail("all").build(), position.passed_in_second())),
        // Nothing came at all. All that was there before the call was unwanted if so asked.
        None if tail == "0" => None,
        None => Some((options.tail(tail).build(), 0)),
    }
}

/// A container removed meanwhile has no more lines.
fn is_there(frame: &Frame) -> future::Ready<bool> {
    future::ready(!matches!(frame, Err(error) if status(error) == Some(404)))
}
