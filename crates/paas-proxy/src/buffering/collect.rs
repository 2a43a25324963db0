use std::{fs::File, io, io::Write, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{CONTENT_LENGTH, HeaderValue},
};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::task::spawn_blocking;

use super::{
    WholeBody,
    room::{Buffers, Room},
    whole_body::Place,
};
use crate::{client_body::ClientBodyError, failure::Failure, request_body::RequestBody, shared::Shared};

/// What of a body stays in memory; a longer one goes to disk.
const IN_MEMORY: usize = 64 * 1024;

/// Reads a request's body to its end, so that it can be sent at once, and sent again. Slow clients keep no target busy meanwhile.
pub(crate) async fn buffered(
    shared: &Shared,
    request: Request<RequestBody>,
) -> Result<Request<RequestBody>, Failure> {
    let (mut parts, body) = request.into_parts();
    let collecting = Collecting { buffers: &shared.buffers, memory: Vec::new(), spill: None, length: 0 };
    let body = collecting.collect(body).await?;
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    } else {
        parts.headers.remove(CONTENT_LENGTH);
    }
    Ok(Request::from_parts(parts, body))
}

struct Collecting<'a> {
    buffers: &'a Arc<Buffers>,
    /// What is not on disk.
    memory: Vec<u8>,
    spill: Option<Spill>,
    length: u64,
}

#[derive(Debug)]
struct Spill {
    file: Arc<File>,
    room: Room,
}

/// A body of unknown length counts itself.
fn fault(error: &ClientBodyError) -> Failure {
    match error {
        ClientBodyError::TooLarge => Failure::BodyTooLarge,
        ClientBodyError::TooSlow => Failure::SlowBody,
        _ => Failure::BrokenBody,
    }
}

impl Collecting<'_> {
    async fn collect(mut self, mut body: RequestBody) -> Result<RequestBody, Failure> {
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            match frame.map_err(|error| fault(&error))?.into_data() {
                Ok(data) => self.take(&data).await?,
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        self.end(trailers).await
    }

    async fn take(&mut self, data: &Bytes) -> Result<(), Failure> {
        self.length += data.len() as u64;
        if self.memory.len() + data.len() > IN_MEMORY {
            self.spill().await?;
        }
        self.memory.extend_from_slice(data);
        Ok(())
    }

    async fn end(mut self, trailers: Option<HeaderMap>) -> Result<RequestBody, Failure> {
        if self.spill.is_some() {
            self.spill().await?;
        }
        let place = match self.spill {
            None if self.length == 0 && trailers.is_none() => return Ok(RequestBody::Empty),
            None => Place::Memory(Bytes::from(self.memory)),
            Some(Spill { file, room }) => Place::File { file, room },
        };
        Ok(RequestBody::whole(WholeBody::new(place, self.length, trailers)))
    }

    /// Moves what is in memory to the end of the file.
    async fn spill(&mut self) -> Result<(), Failure> {
        if self.memory.is_empty() {
            return Ok(());
        }
        let mut spill = if let Some(spill) = self.spill.take() {
            spill
        } else {
            let buffers = Arc::clone(self.buffers);
            let file = spawn_blocking(move || buffers.file()).await;
            Spill { file: Arc::new(on_disk(file)?), room: Room::new(Arc::clone(self.buffers)) }
        };
        if !spill.room.grow(self.memory.len() as u64) {
            tracing::warn!("a request's body was refused: buffered bodies use all of the disk they may use");
            return Err(Failure::NoRoom);
        }
        let memory = std::mem::take(&mut self.memory);
        let file = Arc::clone(&spill.file);
        let written = spawn_blocking(move || (&*file).write_all(&memory).map(|()| memory)).await;
        self.memory = on_disk(written)?;
        self.memory.clear();
        self.spill = Some(spill);
        Ok(())
    }
}

fn on_disk<T>(outcome: Result<io::Result<T>, tokio::task::JoinError>) -> Result<T, Failure> {
    outcome.map_err(io::Error::other).flatten().map_err(|error| {
        tracing::error!(error = %error, "a request's body could not be buffered on disk");
        Failure::NoRoom
    })
}
