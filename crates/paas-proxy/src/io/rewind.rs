use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What an HTTP/2 client with prior knowledge sends first (RFC 9113, 3.4).
const HTTP2: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is read at once of a request before anybody serves it: most requests.
const FIRST: usize = 2048;

/// The protocol a client begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preface {
    Http1,
    Http2,
}

/// Reads until it is sure which protocol this is. Gives back the bytes it took, to be read again; `None` when the client went
/// away without a byte.
pub(crate) async fn sniff<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<(Preface, Bytes)>> {
    let mut read = first(stream).await?;
    if read.is_empty() {
        return Ok(None);
    }
    loop {
        if read.starts_with(HTTP2) {
            return Ok(Some((Preface::Http2, read)));
        }
        if !HTTP2.starts_with(&read) {
            return Ok(Some((Preface::Http1, read)));
        }
        let more = first(stream).await?;
        if more.is_empty() {
            return Ok(Some((Preface::Http1, read)));
        }
        read = [read, more].concat().into();
    }
}

/// What comes next, as far as it is there; empty at the end of the stream. While nothing has come there is no room for it: many
/// wait.
async fn first<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Bytes> {
    poll_fn(|cx| {
        let mut room = [MaybeUninit::uninit(); FIRST];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut read))?;
        Poll::Ready(Ok(Bytes::copy_from_slice(read.filled())))
    })
    .await
}

/// A byte stream that begins with bytes read before.
#[derive(Debug)]
pub(crate) struct Rewind<S> {
    before: Bytes,
    stream: S,
}

impl<S> Rewind<S> {
    pub(crate) fn new(before: Bytes, stream: S) -> Self {
        Self { before, stream }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewind<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.before.has_remaining() {
            let count = self.before.len().min(buf.remaining());
            buf.put_slice(&self.before.split_to(count));
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewind<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    async fn sniffed(mut bytes: &[u8]) -> Option<(Preface, Vec<u8>)> {
        let found = sniff(&mut bytes).await.unwrap()?;
        let mut all = Vec::new();
        Rewind::new(found.1, bytes).read_to_end(&mut all).await.unwrap();
        Some((found.0, all))
    }

    #[tokio::test]
    async fn the_protocol_is_found_and_no_byte_is_lost() {
        for (bytes, preface) in [
            (&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], Preface::Http1),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrest", Preface::Http2),
            (b"PRI / HTTP/1.1\r\n\r\n", Preface::Http1),
            (b"PRI", Preface::Http1),
        ] {
            assert_eq!(sniffed(bytes).await, Some((preface, bytes.to_vec())));
        }
        assert_eq!(sniffed(b"").await, None);
    }
    #[tokio::test]
    async fn a_protocol_that_comes_in_pieces_is_found() {
        let (mut client, mut server) = duplex(64);
        let found = tokio::spawn(async move { sniff(&mut server).await.unwrap().unwrap() });
        for piece in [&HTTP2[..1], &HTTP2[1..20], &HTTP2[20..]] {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let (preface, read) = found.await.unwrap();
        assert_eq!(preface, Preface::Http2);
        assert!(read.starts_with(HTTP2));
    }
}
