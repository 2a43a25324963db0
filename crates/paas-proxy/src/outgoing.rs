use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{
    body::{BodyError, ResponseBody},
    pace::Pace,
};

/// An answer's body on its way to a client over HTTP/1.1 or HTTP/2.
pub(crate) struct Outgoing {
    body: ResponseBody,
    /// Told of each piece, where somebody watches.
    pace: Option<Arc<Pace>>,
    /// When an answer ends that would not end by itself.
    end: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
}

impl Outgoing {
    /// An answer. An event stream is cut when tunnels end: its client asks again.
    pub(crate) fn response(response: Response<ResponseBody>, tunnels: &CancellationToken) -> Response<Self> {
        let content = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let is_event_stream = is_event_stream(content);
        response.map(|body| Self::body(body, is_event_stream, tunnels))
    }

    /// An answer's body alone.
    pub(crate) fn body(body: ResponseBody, is_event_stream: bool, tunnels: &CancellationToken) -> Self {
        // Only then is the token taken: that takes a lock which all requests share.
        let end = is_event_stream.then(|| Box::pin(tunnels.clone().cancelled_owned()));
        Self { body, pace: Pace::of_stream(), end }
    }
}

/// Whether content of that type is server-sent events (HTML, 9.2).
pub(crate) fn is_event_stream(content: &[u8]) -> bool {
    let essence = content.split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"text/event-stream")
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some(pace) = &self.pace {
            pace.polled(polled.is_ready());
        }
        let is_over = |end: &mut Pin<Box<WaitForCancellationFutureOwned>>| end.as_mut().poll(cx).is_ready();
        if polled.is_pending() && self.end.as_mut().is_some_and(is_over) {
            return Poll::Ready(Some(Err(BodyError::Cut)));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_streams_are_known_by_their_type() {
        for (content, is_one) in [
            ("text/event-stream", true),
            ("Text/Event-Stream ; charset=utf-8", true),
            ("text/event-streams", false),
            ("text/plain", false),
        ] {
            assert_eq!(is_event_stream(content.as_bytes()), is_one, "{content}");
        }
        assert!(!is_event_stream(b""));
    }
}
