use std::{
    io::{self, IoSlice, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::io::joined;

const CHUNK_END: &[u8] = b"\r\n";

/// What is left to write of a message: of its header, and of the piece of its body that is under way.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    head: Bytes,
    size_line: SizeLine,
    data: Bytes,
    after: Bytes,
}

impl Pieces {
    /// A message that begins with this header.
    pub(crate) fn new(head: Bytes) -> Self {
        Self { head, ..Self::default() }
    }

    /// Whether another piece of the body can be put.
    pub(crate) fn has_room(&self) -> bool {
        self.data.is_empty() && self.after.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.has_room()
    }

    /// A piece of a body whose length is known otherwise.
    pub(crate) fn put(&mut self, data: Bytes) {
        self.data = data;
    }

    /// A piece of a body in chunks (RFC 9112, 7.1). An empty one would be the last, and is none.
    pub(crate) fn put_chunk(&mut self, data: Bytes) {
        if data.is_empty() {
            return;
        }
        self.size_line = SizeLine::new(data.len());
        self.data = data;
        self.after = Bytes::from_static(CHUNK_END);
    }

    /// The end of a body in chunks.
    pub(crate) fn end(&mut self, end: Bytes) {
        self.after = end;
    }

    /// The piece of the body. For a message of which nothing was written.
    pub(crate) fn into_data(self) -> Bytes {
        self.data
    }

    /// Writes some of it; says how much.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        let count = if self.has_room() {
            ready!(stream.poll_write(cx, &self.head))?
        } else if self.head.is_empty() && self.after.is_empty() {
            ready!(stream.poll_write(cx, &self.data))?
        } else {
            let parts = [&self.head[..], self.size_line.left(), &self.data[..], &self.after[..]];
            let parts = parts.map(IoSlice::new);
            let mut together = [0; joined::MOST];
            ready!(match joined::joined(&parts, &mut together) {
                Some(bytes) => stream.poll_write(cx, bytes),
                None => stream.poll_write_vectored(cx, &parts),
            })?
        };
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(count);
        Poll::Ready(Ok(count))
    }

    fn advance(&mut self, mut count: usize) {
        let mut part = |length: usize| {
            let taken = length.min(count);
            count -= taken;
            taken
        };
        self.head.advance(part(self.head.len()));
        self.size_line.advance(part(self.size_line.left().len()));
        self.data.advance(part(self.data.len()));
        self.after.advance(part(self.after.len()));
    }
}

/// The line before a chunk.
#[derive(Debug, Default)]
struct SizeLine {
    text: [u8; 18],
    from: usize,
    to: usize,
}

impl SizeLine {
    fn new(size: usize) -> Self {
        let mut text = [0; 18];
        let mut rest = &mut text[..];
        // 16 digits and a line end always fit.
        let _ = write!(rest, "{size:x}\r\n");
        let to = 18 - rest.len();
        Self { text, from: 0, to }
    }

    fn left(&self) -> &[u8] {
        self.text.get(self.from..self.to).unwrap_or_default()
    }

    fn advance(&mut self, count: usize) {
        self.from += count;
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    /// Takes so many bytes at a time.
    struct Slow(Vec<u8>, usize);

    impl AsyncWrite for Slow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let count = self.1.min(buf.len());
            self.0.extend_from_slice(&buf[..count]);
            Poll::Ready(Ok(count))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn every_byte_is_written_once_and_in_order_however_little_is_taken() {
        for step in [1, 2, 3, 7, 50, 10_000] {
            let mut stream = Slow(Vec::new(), step);
            let mut cx = Context::from_waker(Waker::noop());
            let mut pieces = Pieces::new(Bytes::from_static(b"HEAD\r\n\r\n"));
            let large = vec![b'x'; 2000];
            for piece in [&b"first"[..], b"", &large, b"last"] {
                pieces.put_chunk(Bytes::copy_from_slice(piece));
                while !pieces.is_empty() {
                    assert!(pieces.poll_write(&mut stream, &mut cx).is_ready());
                }
            }
            pieces.end(Bytes::from_static(b"0\r\n\r\n"));
            while !pieces.is_empty() {
                assert!(pieces.poll_write(&mut stream, &mut cx).is_ready());
            }
            let mut expected = b"HEAD\r\n\r\n5\r\nfirst\r\n7d0\r\n".to_vec();
            expected.extend_from_slice(&large);
            expected.extend_from_slice(b"\r\n4\r\nlast\r\n0\r\n\r\n");
            assert_eq!(stream.0, expected, "{step} at a time");
        }
    }
}
