//! WebSockets and other uses of `Upgrade` (RFC 9110, 7.8): a tunnel, opened only after the target's 101.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderValue, Response, StatusCode, Version,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE},
    request::Parts,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    body::{Lease, ResponseBody},
    client_body::ClientBody,
    failure::Failure,
    forward::Answer,
    headers::{strip_hop_by_hop, tokens},
    http1_server::ClientStream,
    io::{Busy, Counted, Rewind},
    outbound::AnswerHead,
    record::{Record, Traffic},
    request_body::RequestBody,
    shared::Shared,
    target_body::TargetBody,
    tunnel::{self, Haste, Protocol},
};

/// The protocol a client asks to change to. `h2c` is for the hop to us alone, and an upgrade with a body is not possible:
/// both are forwarded as plain requests.
pub(crate) fn wanted(parts: &Parts, body: &RequestBody) -> Option<HeaderValue> {
    if parts.version != Version::HTTP_11 || !body.is_empty() {
        return None;
    }
    let asks = tokens(&parts.headers, &CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"));
    let mut protocols = parts.headers.get_all(UPGRADE).iter();
    let (protocol, more) = (protocols.next()?, protocols.next());
    let h2c = tokens(&parts.headers, &UPGRADE).any(|token| token.eq_ignore_ascii_case("h2c"));
    (asks && more.is_none() && !h2c).then(|| protocol.clone())
}

/// Puts the request for the protocol into a header that goes to a target, or the agreement into one that goes to a client.
pub(crate) fn ask(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// The client's end of the tunnel: its connection once the answer is sent, or one stream of it.
#[derive(Debug)]
pub(crate) enum Client {
    Http1(oneshot::Receiver<Rewind<ClientStream>>),
    Multiplexed(OnUpgrade),
}

impl Client {
    /// That of a request which may ask for a tunnel.
    pub(crate) fn of(parts: &mut Parts, body: &mut ClientBody) -> Option<Self> {
        let multiplexed = parts.extensions.remove().map(Self::Multiplexed);
        multiplexed.or_else(|| body.take_tunnel().map(Self::Http1))
    }
}

/// How the client asked for the tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opening {
    /// With `Upgrade`, in HTTP/1.1: answered 101.
    Upgrade,
    /// With an extended CONNECT, in HTTP/2 and HTTP/3: answered 200.
    Extended,
}

/// Passes the target's 101 on and joins the two connections behind it.
pub(crate) fn open(
    shared: &Shared,
    opening: Opening,
    client: Client,
    answer: Answer,
    busy: Busy,
    record: &mut Record,
) -> Result<Response<ResponseBody>, Failure> {
    let Answer { head, body, lease, .. } = answer;
    let (AnswerHead::Full(mut response), TargetBody::Http1(mut body)) = (head, body) else {
        return Err(Failure::BadAnswer);
    };
    let protocol = response.headers().get(UPGRADE).cloned().ok_or(Failure::BadAnswer)?;
    let target = body.take_tunnel().ok_or(Failure::BadAnswer)?;
    let (record, traffic) = record.open_tunnel();
    let stop = StopTunnel {
        tunnels: shared.stop.tunnels.clone(),
        moved: shared.giver.moved.clone(),
        hurry: shared.stop.hurry.clone(),
    };
    let held = (lease, busy, record);
    shared.tasks.spawn(tunnel(client, target, Protocol::of(&protocol), held, traffic, stop));
    let mut headers = std::mem::take(response.headers_mut());
    strip_hop_by_hop(&mut headers);
    let mut switched = Response::new(ResponseBody::own(bytes::Bytes::new()));
    match opening {
        Opening::Upgrade => {
            ask(&mut headers, protocol);
            *switched.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        Opening::Extended => {
            // The answer to a key that the client knows nothing of.
            headers.remove(SEC_WEBSOCKET_ACCEPT);
        }
    }
    *switched.headers_mut() = headers;
    Ok(switched)
}

/// When the process wants its tunnels to end.
struct StopTunnel {
    tunnels: CancellationToken,
    moved: CancellationToken,
    hurry: CancellationToken,
}

impl StopTunnel {
    async fn told(&self) -> Haste {
        self.tunnels.cancelled().await;
        // Nobody waits for a process whose place is taken.
        let unhurried = self.moved.is_cancelled() && !self.hurry.is_cancelled();
        if unhurried { Haste::Spread } else { Haste::AtOnce }
    }
}

/// Passes bytes until both sides have ended, the drain's deadline, or the proxy's end. Counts as in flight all the while.
async fn tunnel(
    client: Client,
    target: Rewind<TcpStream>,
    protocol: Protocol,
    held: (Lease, Busy, Record),
    traffic: Arc<Traffic>,
    stop: StopTunnel,
) {
    let cut = held.0.target().cut().clone();
    let told = async {
        tokio::select! {
            () = cut.cancelled() => Haste::Spread,
            haste = stop.told() => haste,
        }
    };
    let outcome = match client {
        Client::Http1(stream) => match stream.await {
            Ok(stream) => tunnel::pass(Counted::new(stream, traffic), target, protocol, told).await,
            // The connection broke before the answer was sent.
            Err(_) => Err(std::io::ErrorKind::BrokenPipe.into()),
        },
        Client::Multiplexed(stream) => match stream.await {
            Ok(stream) => {
                tunnel::pass(Counted::new(TokioIo::new(stream), traffic), target, protocol, told).await
            }
            Err(error) => Err(std::io::Error::other(error)),
        },
    };
    tracing::debug!(ended = ?outcome, "a tunnel ended");
    drop(held);
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn wanted_of(version: Version, fields: &[(&str, &str)]) -> Option<HeaderValue> {
        let mut request = Request::builder().version(version);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        wanted(&request.body(()).unwrap().into_parts().0, &RequestBody::Empty)
    }

    #[test]
    fn only_a_real_upgrade_is_one() {
        let websocket = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];
        assert_eq!(wanted_of(Version::HTTP_11, &websocket), Some(HeaderValue::from_static("websocket")));
        assert_eq!(wanted_of(Version::HTTP_10, &websocket), None);
        assert_eq!(wanted_of(Version::HTTP_11, &[("upgrade", "websocket")]), None);
        assert_eq!(wanted_of(Version::HTTP_11, &[("connection", "upgrade")]), None);
        for protocol in ["h2c", "websocket, H2C"] {
            assert_eq!(
                wanted_of(
                    Version::HTTP_11,
                    &[("connection", "upgrade, http2-settings"), ("upgrade", protocol)]
                ),
                None
            );
        }
    }
}
