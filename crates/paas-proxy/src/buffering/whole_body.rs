use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use super::room::Room;

/// How much is read from a file at one time.
const PIECE: usize = 64 * 1024;

/// A request's body that was read to its end. Each copy is read from the beginning.
#[derive(Debug)]
pub(crate) struct WholeBody {
    content: Arc<Content>,
    position: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    trailers: Option<HeaderMap>,
}

#[derive(Debug)]
struct Content {
    place: Place,
    length: u64,
    trailers: Option<HeaderMap>,
}

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Place {
    Memory(Bytes),
    File {
        file: Arc<File>,
        /// Held, never read.
        #[allow(dead_code)]
        room: Room,
    },
}

impl WholeBody {
    pub(super) fn new(place: Place, length: u64, trailers: Option<HeaderMap>) -> Self {
        Self::of(Arc::new(Content { place, length, trailers }))
    }

    fn of(content: Arc<Content>) -> Self {
        let trailers = content.trailers.clone();
        Self { content, position: 0, reading: None, trailers }
    }

    /// The same body from its beginning.
    pub(crate) fn again(&self) -> Self {
        Self::of(Arc::clone(&self.content))
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        match &self.content.place {
            Place::Memory(bytes) => Poll::Ready(Ok(bytes.clone())),
            Place::File { file, .. } => {
                let position = self.position;
                let piece = usize::try_from(self.content.length - position).unwrap_or(PIECE).min(PIECE);
                let reading = self.reading.get_or_insert_with(|| {
                    let file = Arc::clone(file);
                    tokio::task::spawn_blocking(move || read(&file, position, piece))
                });
                let read = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                Poll::Ready(read.map_err(io::Error::other).flatten())
            }
        }
    }
}

fn read(file: &File, position: u64, length: usize) -> io::Result<Bytes> {
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, position)?;
    Ok(Bytes::from(piece))
}

impl Body for WholeBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.position == self.content.length {
            return Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let data = ready!(self.poll_data(cx))?;
        self.position += data.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.position == self.content.length && self.trailers.is_none()
    }

    /// Unknown before trailers: a body of a told length has none in HTTP/1.1.
    fn size_hint(&self) -> SizeHint {
        let left = self.content.length - self.position;
        if self.content.trailers.is_none() { SizeHint::with_exact(left) } else { SizeHint::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use http_body_util::BodyExt;

    use super::*;
    use crate::{buffering::Buffers, request_body::RequestBody};

    #[tokio::test]
    async fn a_file_is_read_from_the_beginning_each_time() {
        let directory = tempfile::tempdir().unwrap();
        let buffers = Arc::new(Buffers::new(directory.path().to_owned(), 0));
        let mut file = buffers.file().unwrap();
        let bytes: Vec<u8> = (0..PIECE * 2 + 7).map(|n| u8::try_from(n % 251).unwrap()).collect();
        file.write_all(&bytes).unwrap();
        let place = Place::File { file: Arc::new(file), room: Room::new(buffers) };
        let mut body = WholeBody::new(place, bytes.len() as u64, None);
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(first == bytes[..PIECE]);
        assert_eq!(body.size_hint().exact(), Some(PIECE as u64 + 7));
        assert!(body.again().collect().await.unwrap().to_bytes() == bytes);
        assert!(body.collect().await.unwrap().to_bytes() == bytes[PIECE..]);
    }

    #[tokio::test]
    async fn what_was_taken_and_not_sent_is_there_again() {
        let place = Place::Memory(Bytes::from_static(b"abc"));
        let mut body = RequestBody::whole(WholeBody::new(place, 3, None));
        let taken = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(body.is_end_stream());
        body.put_back(taken);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
    }
}
