//! Building an image with BuildKit through a session of our own.
//!
//! Two connections: `/session`, over which BuildKit asks us for secrets, and `/build`, which takes the context and returns the progress. When the
//! future is dropped both are closed, and the engine gives up the build.

mod context;
mod failure;
mod progress;
mod request;
mod session;
mod steps;

use std::{path::Path, pin::pin};

use bollard::models::{BuildInfo, BuildInfoAux};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use self::{context::Broken, progress::Progress, session::Session};
use crate::{
    client::DockerEngine,
    engine::{BuildOutput, BuildRequest, ContextStream, ImageId},
    error::{BuildError, EngineError},
    failure::protocol,
    wire::{self, Answer, Wire},
};

const ACTION: &str = "build an image";

/// Builds.
pub(crate) async fn run(
    engine: &DockerEngine,
    mut request: BuildRequest,
    context: ContextStream,
    output: mpsc::Sender<BuildOutput>,
) -> Result<ImageId, BuildError> {
    let secrets = std::mem::take(&mut request.secrets);
    let session = Session::open(engine.socket(), secrets).await?;
    let (answer, broken) = send(engine.socket(), &session, &request, engine.instance_id(), context).await?;
    let result = follow(answer, &output).await;
    match broken.take() {
        // Whatever the engine made of half a context, this is the cause.
        Some(cause) => Err(BuildError::Context(cause)),
        None => result,
    }
}

/// Sends the request and the context; returns when the engine begins to answer.
async fn send(
    socket: &Path,
    session: &Session,
    request: &BuildRequest,
    instance: &str,
    context: ContextStream,
) -> Result<(Answer, Broken), BuildError> {
    let (body, broken) = context::body(context);
    let request = request::encode(request, session.id(), instance, body)?;
    let wire = Wire::open(socket).await?;
    let answer = match wire.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            return Err(match broken.take() {
                Some(cause) => BuildError::Context(cause),
                None => protocol(ACTION, error).into(),
            });
        }
    };
    if answer.response.status().is_success() {
        return Ok((answer, broken));
    }
    let message = wire::refusal(answer.response).await;
    Err(EngineError::Refused { action: ACTION.to_owned(), message }.into())
}

/// Reads the progress to its end.
async fn follow(answer: Answer, output: &mpsc::Sender<BuildOutput>) -> Result<ImageId, BuildError> {
    let mut lines = pin!(wire::lines(answer));
    let mut progress = Progress::default();
    let (mut image, mut failed) = (None, None);
    while let Some(line) = lines.next().await {
        let line = line.map_err(|error| protocol(ACTION, error))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let info: BuildInfo = serde_json::from_slice(&line).map_err(|error| protocol(ACTION, error))?;
        match info.aux {
            Some(BuildInfoAux::BuildKit(status)) => tell(output, progress.apply(status)).await,
            Some(BuildInfoAux::Default(id)) => image = id.id.or(image),
            None => {}
        }
        failed = info.error_detail.and_then(|detail| detail.message).or(failed);
    }
    tell(output, progress.finish()).await;
    match (failed, image) {
        (Some(message), _) => Err(failure::build_error(&message, &progress)),
        (None, Some(id)) => Ok(ImageId(id)),
        (None, None) => Err(protocol(ACTION, "the build ended without an image and without an error").into()),
    }
}

/// A full channel makes the build's log wait; one nobody reads any more does not stop the build.
async fn tell(output: &mpsc::Sender<BuildOutput>, lines: Vec<BuildOutput>) {
    for line in lines {
        if output.send(line).await.is_err() {
            return;
        }
    }
}
