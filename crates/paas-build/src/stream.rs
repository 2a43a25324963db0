use std::{
    io::{self, Write},
    pin::Pin,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::{sync::mpsc, task::JoinError};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    context::Context,
    entry::EntryKind,
    limits::LINK_BYTES,
    objects::{Objects, ReadError},
    plan::BuildPlan,
    source::Source,
    tarball::Tarball,
    walk::{Node, WalkError},
};

const CHUNK: usize = 128 * 1024;
/// Chunks that wait for a slow reader: with [`CHUNK`] the memory a stream may hold.
const CHUNKS: usize = 8;

/// The tar of a context. An error is its last item; without one the tar is whole.
pub type ContextStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Sends the planned context as a tar, written on a blocking thread no faster than it is read. Dropping the stream ends the writer. Must be called
/// inside a Tokio runtime.
pub fn context_stream(source: &Source, plan: &BuildPlan) -> ContextStream {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let (source, context) = (source.clone(), Arc::clone(&plan.context));
    let writer = tokio::task::spawn_blocking(move || write(&source, &context, sender));
    // The writer's own result comes after its last chunk: a reader never takes a tar that was cut short for a whole one.
    let end = stream::once(writer).filter_map(async |result| failure(result).map(Err));
    Box::pin(ReceiverStream::new(receiver).map(Ok).chain(end))
}

fn failure(result: Result<io::Result<()>, JoinError>) -> Option<io::Error> {
    match result {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error),
        Err(join) => Some(io::Error::other(join)),
    }
}

fn write(source: &Source, context: &Context, sender: mpsc::Sender<Bytes>) -> io::Result<()> {
    let objects = source.objects().map_err(io::Error::other)?;
    let mut tarball = Tarball::new(Chunks { sender, buffer: BytesMut::with_capacity(CHUNK) });
    if let Some((name, oid)) = &context.extra {
        let size = objects.size(*oid).map_err(io::Error::other)?;
        tarball.file(name.as_bytes(), false, size, |out| objects.copy(*oid, size, out))?;
    }
    context.walk(&objects, &mut |node: Node<'_>| append(&mut tarball, &objects, &node))?;
    tarball.finish()
}

fn append(tarball: &mut Tarball<Chunks>, objects: &Objects, node: &Node<'_>) -> Result<(), WriteError> {
    match node.kind {
        EntryKind::Directory => tarball.directory(node.path)?,
        EntryKind::Link => tarball.link(node.path, &objects.read(node.oid, LINK_BYTES)?)?,
        EntryKind::File { executable } => {
            let size = objects.size(node.oid)?;
            tarball.file(node.path, executable, size, |out| objects.copy(node.oid, size, out))?;
        }
        EntryKind::Submodule => {}
    }
    Ok(())
}

/// Carries the three ways a write can fail through the walk; the stream's reader sees an [`io::Error`].
struct WriteError(io::Error);

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

impl From<WalkError> for WriteError {
    fn from(error: WalkError) -> Self {
        Self(io::Error::other(error))
    }
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        Self(io::Error::other(error))
    }
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        error.0
    }
}

/// Cuts what is written into chunks for the channel.
struct Chunks {
    sender: mpsc::Sender<Bytes>,
    buffer: BytesMut,
}

impl Chunks {
    fn send(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(CHUNK)).freeze();
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the build no longer reads its context");
        self.sender.blocking_send(chunk).map_err(gone)
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() { Ok(()) } else { self.send() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_slow_reader_stops_the_writer_and_a_gone_one_ends_it() {
        let (sender, mut receiver) = mpsc::channel(CHUNKS);
        let mut chunks = Chunks { sender, buffer: BytesMut::with_capacity(CHUNK) };
        let writer = std::thread::spawn(move || chunks.write_all(&vec![1; 100 * CHUNK]));
        let deadline = Instant::now() + Duration::from_secs(30);
        while receiver.len() < CHUNKS {
            assert!(Instant::now() < deadline, "only {} chunks came", receiver.len());
            std::thread::yield_now();
        }
        assert_eq!(receiver.blocking_recv().unwrap().len(), CHUNK);
        assert!(!writer.is_finished(), "100 chunks do not fit into {CHUNKS}");
        drop(receiver);
        assert_eq!(writer.join().unwrap().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_panic_of_the_writer_is_an_error_of_the_stream() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let result = runtime.block_on(async { tokio::task::spawn_blocking(|| panic!("lost")).await });
        assert!(failure(result).is_some());
    }
}
