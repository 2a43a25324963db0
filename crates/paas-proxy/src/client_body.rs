use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use crate::{
    http1_server::{ClientStream, Http1Body},
    http3::{Http3Body, Http3BodyError},
    io::{Activity, Busy, Rewind},
};

/// A request's body as it comes from the client.
#[derive(Debug)]
pub(crate) enum ClientBody {
    Http1(Http1Body),
    /// A stream of its own: ending it leaves the others alone. The connection is busy as long as it comes.
    Http2 {
        incoming: Incoming,
        /// Held, never read.
        #[allow(dead_code)]
        busy: Option<Busy>,
    },
    Http3(Box<Http3Body>),
}

/// Why a request's body ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientBodyError {
    #[error(transparent)]
    Hyper(#[from] hyper::Error),
    #[error("the client's connection broke")]
    Broken(#[source] std::io::Error),
    #[error("the client closed the connection before the end of its body")]
    Closed,
    #[error("the client's body is malformed: {0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Http3(#[from] Http3BodyError),
    #[error("the body is larger than the service takes")]
    TooLarge,
    #[error("the body came too slowly")]
    TooSlow,
    #[error("the buffered body could not be read")]
    Buffer(#[from] std::io::Error),
}

impl ClientBody {
    /// The body of a request over HTTP/2.
    pub(crate) fn http2(incoming: Incoming, activity: &Arc<Activity>) -> Self {
        let busy = (!incoming.is_end_stream()).then(|| activity.hold());
        Self::Http2 { incoming, busy }
    }

    /// Whether the client's connection carries one request at a time.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self, Self::Http1(_))
    }

    /// The client's connection, for a tunnel.
    pub(crate) fn take_tunnel(&mut self) -> Option<oneshot::Receiver<Rewind<ClientStream>>> {
        match self {
            Self::Http1(body) => body.take_tunnel(),
            Self::Http2 { .. } | Self::Http3(_) => None,
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = ClientBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ClientBodyError>>> {
        match &mut *self {
            Self::Http1(body) => body.poll_frame(cx),
            Self::Http2 { incoming, .. } => Pin::new(incoming).poll_frame(cx).map_err(ClientBodyError::from),
            Self::Http3(body) => Pin::new(&mut **body).poll_frame(cx).map_err(ClientBodyError::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2 { incoming, .. } => incoming.is_end_stream(),
            Self::Http3(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2 { incoming, .. } => incoming.size_hint(),
            Self::Http3(body) => body.size_hint(),
        }
    }
}
