use std::{io, pin::pin};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    ANSWER, Protocol,
    frames::{Frames, going_away},
};

const BUFFER: usize = 8 * 1024;

/// One direction of a tunnel.
#[derive(Debug)]
pub(super) struct Way<'a> {
    /// Followed for a WebSocket alone.
    frames: Option<Frames>,
    masked: bool,
    end: &'a CancellationToken,
}

/// How a direction has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The side it comes from sends no more; the other was told.
    BySide,
    /// It was told to.
    ByUs,
}

impl<'a> Way<'a> {
    pub(super) fn new(protocol: Protocol, end: &'a CancellationToken) -> Self {
        let frames = (protocol == Protocol::WebSocket).then(Frames::default);
        Self { frames, masked: false, end }
    }

    /// Our own frames are masked: they go to a server.
    pub(super) fn masked(mut self) -> Self {
        self.masked = true;
        self
    }

    pub(super) async fn pass(
        mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<Ended> {
        let mut buffer = vec![0; BUFFER];
        let mut ended = pin!(self.end.cancelled());
        loop {
            let count = tokio::select! {
                biased;
                () = &mut ended => break,
                read = from.read(&mut buffer) => read?,
            };
            let bytes = buffer.get(..count).unwrap_or_default();
            if bytes.is_empty() {
                to.shutdown().await?;
                return Ok(Ended::BySide);
            }
            if let Some(frames) = &mut self.frames {
                frames.advance(bytes);
            }
            write(to, bytes).await?;
        }
        if let Some(frames) = self.frames {
            let mask = self.masked.then(rand::random);
            // Who has not answered by then will not.
            let _ = timeout_at(Instant::now() + ANSWER, close(frames, mask, from, to, &mut buffer)).await;
        }
        Ok(Ended::ByUs)
    }
}

/// Lets the frame under way pass, says that we go, and reads what the side still sends until it says that it goes too.
async fn close(
    mut frames: Frames,
    mask: Option<[u8; 4]>,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    buffer: &mut [u8],
) -> io::Result<()> {
    if !finish_frame(&mut frames, from, to, buffer).await? {
        return Ok(());
    }
    write(to, &going_away(mask)).await?;
    while !frames.closed() {
        let count = from.read(buffer).await?;
        if count == 0 {
            break;
        }
        frames.advance(buffer.get(..count).unwrap_or_default());
    }
    Ok(())
}

/// False when no frame may follow: the side has ended, or its own close frame has passed.
async fn finish_frame(
    frames: &mut Frames,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    buffer: &mut [u8],
) -> io::Result<bool> {
    while !frames.at_boundary() {
        let count = from.read(buffer).await?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(false);
        }
        let (last, beyond) = bytes.split_at_checked(frames.advance_to_boundary(bytes)).unwrap_or_default();
        write(to, last).await?;
        if frames.at_boundary() {
            let may_follow = !frames.closed();
            frames.advance(beyond);
            return Ok(may_follow);
        }
    }
    Ok(!frames.closed())
}

async fn write(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
