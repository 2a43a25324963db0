use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// How many frames that ask for nothing a client may send within a second. Clients measure their way by a ping for each round trip while
/// they are being sent to, which may take less than a thousandth of a second.
const MOST: u64 = 10_000;

/// What clients send first (RFC 9113, 3.4).
const PREFACE: usize = 24;
/// Length (24 bits), kind, flags, stream (RFC 9113, 4.1).
const HEAD: usize = 9;
/// Frames that have limits of their own, or go with what a client takes: DATA, HEADERS, `RST_STREAM`, `WINDOW_UPDATE`, CONTINUATION.
const LIMITED: [u8; 5] = [0, 1, 3, 8, 9];
/// `RST_STREAM` of no stream: whoever reads it must end the connection with GOAWAY (RFC 9113, 6.4).
const LAST_FRAME: [u8; 13] = [0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A client's byte stream of HTTP/2 in which a flood of frames that ask for nothing (PING, SETTINGS, PRIORITY, unknown ones) ends the
/// connection: each costs the sender nothing and us an answer (CVE-2019-9512, -9515). The library has no limit for them.
#[derive(Debug)]
pub(crate) struct Calm<S> {
    stream: S,
    frames: Frames,
    /// How many there were since then.
    count: u64,
    since: Instant,
    flood: Flood,
}

/// Whether there were too many.
#[derive(Debug, Clone, Copy)]
enum Flood {
    No,
    /// The last frame that is read has begun.
    Begun,
    /// So much of [`LAST_FRAME`] has been read.
    Over(usize),
}

impl<S> Calm<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, frames: Frames::default(), count: 0, since: Instant::now(), flood: Flood::No }
    }

    /// Whether one more may come.
    fn allows_another(&mut self) -> bool {
        self.count += 1;
        if self.count > MOST && self.since.elapsed() >= Duration::from_secs(1) {
            (self.count, self.since) = (1, Instant::now());
        }
        self.count <= MOST
    }

    /// How many of these bytes are read.
    fn calm(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            if matches!(self.flood, Flood::Begun) && self.frames.is_between() {
                self.flood = Flood::Over(0);
                break;
            }
            let (kind, end) = self.frames.next(bytes, at);
            at = end;
            // Its head may have come in pieces that were read before, so it is read whole.
            if kind.is_some_and(|kind| !LIMITED.contains(&kind)) && !self.allows_another() {
                self.flood = Flood::Begun;
            }
        }
        at
    }
}

/// Where in the sequence of frames a byte stream is.
#[derive(Debug)]
struct Frames {
    head: [u8; HEAD],
    /// How much of the head is known.
    known: usize,
    /// How much is to be skipped before the next head.
    skip: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { head: [0; HEAD], known: 0, skip: PREFACE }
    }
}

impl Frames {
    /// Whether the next byte is the first of a frame.
    fn is_between(&self) -> bool {
        self.skip == 0 && self.known == 0
    }

    /// Goes on from a place in a piece of the stream to the end of a head, of a payload or of the piece. Gives the kind of the frame whose
    /// head has become known, and the place.
    fn next(&mut self, bytes: &[u8], at: usize) -> (Option<u8>, usize) {
        let rest = bytes.get(at..).unwrap_or_default();
        if self.skip > 0 {
            let count = self.skip.min(rest.len());
            self.skip -= count;
            return (None, at + count);
        }
        let wanted = self.head.get_mut(self.known..).unwrap_or_default();
        let count = wanted.len().min(rest.len());
        if let (Some(into), Some(from)) = (wanted.get_mut(..count), rest.get(..count)) {
            into.copy_from_slice(from);
        }
        self.known += count;
        if self.known < HEAD {
            return (None, at + count);
        }
        self.known = 0;
        let [high, middle, low, kind, ..] = self.head;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        (Some(kind), at + count)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Calm<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !matches!(this.flood, Flood::Over(_)) {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let read = this.calm(buf.filled().get(before..).unwrap_or_default());
            buf.set_filled(before + read);
            if read > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        if let Flood::Over(read) = &mut this.flood {
            let rest = LAST_FRAME.get(*read..).unwrap_or_default();
            let count = rest.len().min(buf.remaining());
            buf.put_slice(rest.get(..count).unwrap_or_default());
            *read += count;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Calm<S> {
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
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const PING: &[u8] = &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    const DATA: &[u8] = &[0, 0, 2, 0, 0, 0, 0, 0, 1, b'h', b'i'];

    fn pair() -> (DuplexStream, Calm<DuplexStream>) {
        let (client, server) = duplex(1 << 20);
        (client, Calm::new(server))
    }

    /// What is read of what a client sends before it goes.
    async fn read_of(sent: &[u8]) -> Vec<u8> {
        let (mut client, mut calm) = pair();
        client.write_all(sent).await.unwrap();
        drop(client);
        let mut read = Vec::new();
        calm.read_to_end(&mut read).await.unwrap();
        read
    }

    fn stream(frames: &[&[u8]]) -> Vec<u8> {
        [vec![b'P'; PREFACE], frames.concat()].concat()
    }

    fn pings(count: u64) -> Vec<u8> {
        PING.repeat(usize::try_from(count).unwrap())
    }

    #[tokio::test]
    async fn an_honest_stream_is_read_as_it_is() {
        let sent = stream(&[&pings(MOST), DATA, DATA]);
        assert_eq!(read_of(&sent).await, sent);
    }

    #[tokio::test]
    async fn one_ping_too_many_is_the_last_frame() {
        let sent = stream(&[&pings(MOST), DATA, PING, DATA]);
        let read = read_of(&sent).await;
        assert_eq!(read, stream(&[&pings(MOST), DATA, PING, &LAST_FRAME]));
    }

    #[tokio::test]
    async fn pieces_hide_nothing() {
        let (mut client, mut calm) = pair();
        let sent = stream(&[&pings(MOST + 100)]);
        let (mut read, mut room) = (Vec::<u8>::new(), [0_u8; 64]);
        for piece in sent.chunks(PING.len()) {
            client.write_all(piece).await.unwrap();
            let count = calm.read(&mut room).await.unwrap();
            read.extend(&room[..count]);
        }
        assert_eq!(read, stream(&[&pings(MOST + 1), &LAST_FRAME]));
    }

    #[tokio::test(start_paused = true)]
    async fn time_allows_more() {
        let (mut client, mut calm) = pair();
        client.write_all(&stream(&[&pings(MOST)])).await.unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        client.write_all(&pings(MOST + 2)).await.unwrap();
        drop(client);
        let mut read = Vec::new();
        calm.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, stream(&[&pings(2 * MOST + 1), &LAST_FRAME]));
    }

    proptest! {
        /// However the stream is cut into pieces, the kinds of its frames are the same.
        #[test]
        fn kinds_do_not_hang_on_pieces(
            frames in prop::collection::vec((0..12_u8, 0..40_usize), 0..20),
            cuts in prop::collection::vec(1..30_usize, 1..60),
        ) {
            let mut sent = vec![b'P'; PREFACE];
            for &(kind, length) in &frames {
                sent.extend([0, 0, u8::try_from(length).unwrap(), kind, 0, 0, 0, 0, 1]);
                sent.extend(vec![b'x'; length]);
            }
            let (mut parsed, mut kinds, mut rest) = (Frames::default(), Vec::new(), &sent[..]);
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                let mut at = 0;
                while at < piece.len() {
                    let (kind, end) = parsed.next(piece, at);
                    kinds.extend(kind);
                    at = end;
                }
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(kinds, frames.iter().map(|&(kind, _)| kind).collect::<Vec<_>>());
            prop_assert!(parsed.is_between());
        }
    }
}
