//! The two connections behind a changed protocol, joined: bytes pass both ways and are never altered.
//!
//! Most are WebSockets (RFC 6455). They live as long as they may; then both sides get a close frame with the status 1001,
//! between two frames, and are closed without a reset. Whatever else it is just ends.

mod frames;
mod way;

use std::{io, time::Duration};

use futures_util::{future::join, try_join};
use http::HeaderValue;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use way::{Ended, Way};

/// The clients of many tunnels that end together come back one after the other.
const SPREAD: Duration = Duration::from_secs(3);
/// How long a side may take to come to the end of a frame, and then to answer a close frame.
const ANSWER: Duration = Duration::from_secs(1);
/// How long what a side is still sending is read away: to close on unread bytes would reset the connection.
const LAST_BYTES: Duration = Duration::from_millis(500);

/// The longest that tunnels take from the moment they are told to end. A process that has handed over is gone 5 s after its limit, and what is
/// left then has to be cut, too.
pub(crate) const LONGEST_END: Duration = SPREAD.saturating_add(ANSWER).saturating_add(LAST_BYTES);

/// What passes through a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    WebSocket,
    Other,
}

impl Protocol {
    /// By the target's `Upgrade`.
    pub(crate) fn of(upgrade: &HeaderValue) -> Self {
        if upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") { Self::WebSocket } else { Self::Other }
    }
}

/// When a tunnel that is told to end does so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Somebody waits for it.
    AtOnce,
    /// Somewhen within some seconds, so that not all clients come back at one moment.
    Spread,
}

/// Passes bytes until both sides have ended, one breaks, or `told` says that it must end.
pub(crate) async fn pass<C, T>(
    client: C,
    target: T,
    protocol: Protocol,
    told: impl Future<Output = Haste>,
) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    T: AsyncRead + AsyncWrite,
{
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_target, mut to_target) = tokio::io::split(target);
    let end = CancellationToken::new();
    let copying = async {
        let up = Way::new(protocol, &end).masked().pass(&mut from_client, &mut to_target);
        let down = Way::new(protocol, &end).pass(&mut from_target, &mut to_client);
        if let (Ended::BySide, Ended::BySide) = try_join!(up, down)? {
            return Ok(());
        }
        // The other side may be closed already.
        let _ = join(to_client.shutdown(), to_target.shutdown()).await;
        join(read_away(&mut from_client), read_away(&mut from_target)).await;
        Ok(())
    };
    tokio::select! {
        outcome = copying => outcome,
        () = time_is_over(told, &end) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Lets the tunnel end when it is told to, and returns when it has had all its time.
async fn time_is_over(told: impl Future<Output = Haste>, end: &CancellationToken) {
    if told.await == Haste::Spread {
        sleep(SPREAD.mul_f64(rand::random())).await;
    }
    end.cancel();
    sleep(ANSWER + LAST_BYTES).await;
}

async fn read_away(from: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 1024];
    while from.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::{
        io::{DuplexStream, duplex},
        task::JoinHandle,
        time::Instant,
    };

    use super::*;

    const HELLO: [u8; 7] = [0x81, 0x05, b'h', b'e', b'l', b'l', b'o'];
    const CLOSE: [u8; 4] = [0x88, 0x02, 0x03, 0xe9];

    /// A tunnel that is told to end when the token fires, and its two outer ends.
    fn tunnel(
        protocol: Protocol,
        haste: Haste,
    ) -> (DuplexStream, DuplexStream, CancellationToken, JoinHandle<io::Result<()>>) {
        let (client, outer) = duplex(1024);
        let (target, inner) = duplex(1024);
        let token = CancellationToken::new();
        let told = token.clone();
        let told = async move {
            told.cancelled().await;
            haste
        };
        (client, target, token, tokio::spawn(pass(outer, inner, protocol, told)))
    }

    async fn exactly(stream: &mut DuplexStream, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    async fn rest(stream: &mut DuplexStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    /// A masked close frame without its mask.
    fn unmasked(frame: &[u8]) -> Vec<u8> {
        let [first, length, mask @ .., a, b] = frame else { panic!("{frame:?}") };
        assert_eq!((*first, *length, mask.len()), (0x88, 0x82, 4));
        vec![0x88, 0x02, a ^ mask[0], b ^ mask[1]]
    }

    #[tokio::test(start_paused = true)]
    async fn both_sides_are_told_between_two_frames() {
        let (mut client, mut target, end, over) = tunnel(Protocol::WebSocket, Haste::AtOnce);
        client.write_all(&HELLO).await.unwrap();
        assert_eq!(exactly(&mut target, 7).await, HELLO);
        target.write_all(&HELLO[..3]).await.unwrap();
        assert_eq!(exactly(&mut client, 3).await, HELLO[..3]);
        end.cancel();
        // The client has no frame under way, the target has.
        assert_eq!(unmasked(&exactly(&mut target, 8).await), CLOSE);
        target.write_all(&HELLO[3..]).await.unwrap();
        assert_eq!(exactly(&mut client, 4).await, HELLO[3..]);
        assert_eq!(exactly(&mut client, 4).await, CLOSE);
        // What comes after our close frame goes nowhere.
        client.write_all(&HELLO).await.unwrap();
        let begin = Instant::now();
        client.write_all(&CLOSE).await.unwrap();
        target.write_all(&CLOSE).await.unwrap();
        assert_eq!((rest(&mut client).await, rest(&mut target).await), (vec![], vec![]));
        assert!(begin.elapsed() < Duration::from_millis(10), "both have answered: nothing to wait for");
        drop((client, target));
        over.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_left() {
        let (mut client, mut target, end, over) = tunnel(Protocol::WebSocket, Haste::Spread);
        // In the middle of a frame for ever.
        target.write_all(&HELLO[..3]).await.unwrap();
        exactly(&mut client, 3).await;
        let begin = Instant::now();
        end.cancel();
        assert_eq!(rest(&mut client).await, b"", "no close frame within another frame");
        assert!(begin.elapsed() >= ANSWER);
        assert_eq!(unmasked(&rest(&mut target).await), CLOSE);
        assert!(over.await.unwrap().is_err());
        assert!(begin.elapsed() <= LONGEST_END, "{:?}", begin.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_that_closes_itself_is_not_told() {
        let (mut client, mut target, end, _over) = tunnel(Protocol::WebSocket, Haste::AtOnce);
        client.write_all(&CLOSE).await.unwrap();
        target.write_all(&CLOSE).await.unwrap();
        assert_eq!(exactly(&mut target, 4).await, CLOSE);
        assert_eq!(exactly(&mut client, 4).await, CLOSE);
        end.cancel();
        assert_eq!((rest(&mut client).await, rest(&mut target).await), (vec![], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn another_protocol_just_ends() {
        let (mut client, mut target, end, _over) = tunnel(Protocol::Other, Haste::AtOnce);
        client.write_all(b"any").await.unwrap();
        assert_eq!(exactly(&mut target, 3).await, b"any");
        let begin = Instant::now();
        end.cancel();
        assert_eq!((rest(&mut client).await, rest(&mut target).await), (vec![], vec![]));
        assert!(begin.elapsed() < Duration::from_millis(10));
    }

    #[tokio::test]
    async fn bytes_are_never_altered_and_each_side_ends_by_itself() {
        let (mut client, outer) = duplex(100);
        let (mut target, inner) = duplex(100);
        let over = tokio::spawn(pass(outer, inner, Protocol::WebSocket, pending()));
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n.to_be_bytes()[3] ^ n.to_be_bytes()[2]).collect();
        let (write, read) = tokio::join!(
            async {
                client.write_all(&sent).await.unwrap();
                client.shutdown().await.unwrap();
            },
            rest(&mut target)
        );
        let () = write;
        assert_eq!(read, sent);
        target.write_all(b"late").await.unwrap();
        target.shutdown().await.unwrap();
        assert_eq!(rest(&mut client).await, b"late");
        over.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_ends_of_many_are_spread() {
        let mut ends = Vec::new();
        for _ in 0..100 {
            let end = CancellationToken::new();
            let begin = Instant::now();
            let over = time_is_over(ready(Haste::Spread), &end);
            tokio::select! { () = over => {}, () = end.cancelled() => ends.push(begin.elapsed()) }
        }
        assert_eq!(ends.len(), 100);
        let in_half = |half: std::ops::Range<Duration>| ends.iter().filter(|end| half.contains(*end)).count();
        assert!(in_half(Duration::ZERO..SPREAD / 2) > 10 && in_half(SPREAD / 2..SPREAD) > 10, "{ends:?}");
    }
}
