//! One connection of HTTP/2 (RFC 9113): many requests at one time.

use std::{io, time::Duration};

use hyper::{body::Incoming, rt::Executor, server::conn::http2, service::HttpService};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    io::Activity,
    outgoing::Outgoing,
    pace::{self, Pace},
    request_check::MAX_HEADER,
    shared::Stop,
};

const MAX_STREAMS: u32 = 200;
const PING_INTERVAL: Duration = Duration::from_secs(20);
/// What one stream keeps of an answer that its client does not take.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams that a client resets before we have looked at them: more end the connection (CVE-2023-44487). No honest client comes
/// near.
const MAX_RESETS: usize = 64;
/// How long a client that was told to go, and that has no request under way, may say nothing at all.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The settings of every connection. An answer of which the client takes nothing for `stall` is given up.
pub(crate) fn builder(stall: Duration) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(Streams { stall });
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(MAX_HEADER).unwrap_or(u32::MAX))
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_send_buf_size(SEND_BUFFER)
        // WebSockets (RFC 8441).
        .enable_connect_protocol()
        .keep_alive_interval(PING_INTERVAL);
    builder
}

/// Runs what a connection does beside reading and writing frames.
#[derive(Debug, Clone)]
pub(crate) struct Streams {
    stall: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(pace::watched(stream, Pace::new(), self.stall));
    }
}

/// Runs a connection to its end. When it has idled for too long, and at a shutdown, the client is told to send no more requests
/// (GOAWAY) and those under way are served. A client that confirms nothing is not waited for.
pub(crate) async fn drive<S, H>(
    connection: http2::Connection<TokioIo<S>, H, Streams>,
    activity: &Activity,
    stop: &Stop,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    H: HttpService<
            Incoming,
            ResBody = Outgoing,
            Future: Send + 'static,
            Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        >,
{
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        outcome = connection.as_mut() => return outcome.map_err(io::Error::other),
        () = activity.tired() => {}
        () = stop.last_requests() => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        outcome = connection => outcome.map_err(io::Error::other),
        () = activity.silent_for(LAST_WORDS) => Ok(()),
        () = stop.everything.cancelled() => Ok(()),
    }
}
